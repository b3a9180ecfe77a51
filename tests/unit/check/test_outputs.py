"""Printing and opening what stays in memory is no mistake."""

from __future__ import annotations

from tests.unit.check.marks import assert_body_as_marked


def test_printing_elsewhere_than_to_the_terminal_is_no_output() -> None:
    assert_body_as_marked(
        """
        text = io.StringIO()
        print(order, file=text)
        pprint.pprint(order, stream=text)
        print(order, file=sys.stderr)  #! EVS203
        print(order, file=None)  #! EVS203
        print(order, end="")  #! EVS203
        """,
        "import io, pprint, sys",
    )


def test_files_in_memory_are_not_outside() -> None:
    assert_body_as_marked(
        """
        zipfile.ZipFile(io.BytesIO(order))
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer) as archive:
            archive.getnames()
        zipfile.ZipFile(order)  #! EVS201
        requests.post(order, data=io.BytesIO())  #! EVS201
        """,
        "import io, requests, tarfile, zipfile",
    )
