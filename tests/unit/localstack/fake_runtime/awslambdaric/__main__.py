"""Speak the Runtime API, as `awslambdaric` does: a handler is a module with a function `handle`."""

from __future__ import annotations

import http.client
import importlib
import json
import os
import sys

ROOT = "/2018-06-01/runtime"


def main(arguments: list[str]) -> None:
    """Load the handler named by the second argument, and serve invocations for ever."""
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handle = importlib.import_module(arguments[1]).handle
    except ImportError as error:
        _post(api, "/init/error", {"errorType": "ImportError", "errorMessage": str(error)})
        sys.exit(1)
    while True:
        api.request("GET", f"{ROOT}/invocation/next")
        response = api.getresponse()
        event = json.loads(response.read())
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
        try:
            result = handle(event)
        except ValueError as error:
            document = {"errorType": "ValueError", "errorMessage": str(error)}
            _post(api, f"/invocation/{request_id}/error", document)
        else:
            _post(api, f"/invocation/{request_id}/response", result)


def _post(api: http.client.HTTPConnection, path: str, document: object) -> None:
    api.request("POST", ROOT + path, body=json.dumps(document))
    api.getresponse().read()
