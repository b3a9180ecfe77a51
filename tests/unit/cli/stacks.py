"""CloudFormation as far as the command line asks it, without sending anything."""

from __future__ import annotations

from typing import Any, Final

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from everstep.wiring import ReadOnlyClients

OUTPUTS: Final = {
    "TableName": "from-stack",
    "BucketName": "bucket-of-stack",
    "QueueUrl": "http://127.0.0.1:9/queue",
}
ERRORS: Final = {"secret": {"Code": "AccessDenied", "Message": "no"}}


class Stacks(ReadOnlyClients):
    """Clients whose CloudFormation has two stacks: ``shop``, and ``other`` of somebody else."""

    def make(self, service: str) -> Any:  # noqa: ANN401
        client: Any = super().make(service)
        if service == "cloudformation":
            client.meta.events.register("before-call", answer)
        return client


def answer(params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
    """Answer instead of sending, as botocore's own stubs do."""
    name = params["body"]["StackName"]
    if name not in {"shop", "other"}:
        missing = {"Code": "ValidationError", "Message": f"Stack with id {name} does not exist"}
        error = ERRORS.get(name, missing)
        return AWSResponse("", 400, HTTPHeaders(), None), {"Error": error}
    stack = {
        "StackName": name,
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "Workflows", "ParameterValue": "flows"}],
    }
    if name == "shop":
        stack["Outputs"] = [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()]
    return AWSResponse("", 200, HTTPHeaders(), None), {"Stacks": [stack]}
