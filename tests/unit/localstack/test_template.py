"""Packaging replaces the local folders of a template, and touches nothing else in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep_localstack.errors import TemplateError
from everstep_localstack.template import LocalCode, rewrite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPLATE = """\
AWSTemplateFormatVersion: '2010-09-09'
Globals:
  Function:
    CodeUri: functions/shared/
Resources:
  Engine:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer/
  Own:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/own/
      Environment:
        Variables:
          TABLE: !Ref Table
          NAME: !Sub "${AWS::StackName}-x"
  Shared:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
  Uploaded:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://elsewhere/code.zip
  Inline:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: {Bucket: elsewhere, Key: code.zip}
  Table:
    Type: AWS::DynamoDB::Table
Outputs:
  Arn: {Value: !GetAtt Table.Arn}
  Joined: {Value: !Join ["-", [a, !Ref Table]]}
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for folder in ("functions/own", "functions/shared", "layer", "other"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


class Uploads:
    """Remembers what was uploaded, by logical id."""

    def __init__(self) -> None:
        self.codes: dict[str, LocalCode] = {}

    def __call__(self, code: LocalCode) -> str:
        self.codes[code.logical_id] = code
        return f"s3://bucket/{code.logical_id}"


def _rewrite(
    base: Path, text: str = TEMPLATE, artifacts: Mapping[str, Path] | None = None
) -> tuple[str, Uploads]:
    uploads = Uploads()
    return rewrite(text, base, artifacts or {}, uploads), uploads


def test_local_folders_become_addresses(base: Path) -> None:
    text, uploads = _rewrite(base)

    assert {name: code.folder for name, code in uploads.codes.items()} == {
        "Engine": base / "layer",
        "Own": base / "functions/own",
        "Shared": base / "functions/shared",
    }
    assert "CodeUri: s3://bucket/Own" in text
    assert "ContentUri: s3://bucket/Engine" in text
    assert "CodeUri: s3://bucket/Shared" in text


def test_what_is_uploaded_already_stays_as_it_is(base: Path) -> None:
    text, _ = _rewrite(base)

    assert "CodeUri: s3://elsewhere/code.zip" in text
    assert "{Bucket: elsewhere, Key: code.zip}" in text


@pytest.mark.parametrize(
    "expected",
    [
        "TABLE: !Ref 'Table'",
        'NAME: !Sub "${AWS::StackName}-x"',
        "Value: !GetAtt 'Table.Arn'",
        """Value: !Join ["-", [a, !Ref 'Table']]""",
        "AWSTemplateFormatVersion: '2010-09-09'",
    ],
)
def test_tags_and_quotes_are_kept(base: Path, expected: str) -> None:
    assert expected in _rewrite(base)[0]


def test_an_artifact_replaces_the_folder_in_the_template(base: Path) -> None:
    _, uploads = _rewrite(base, artifacts={"Engine": base / "other"})

    assert uploads.codes["Engine"].folder == base / "other"


def test_an_artifact_for_nothing_is_an_error(base: Path) -> None:
    with pytest.raises(TemplateError, match="no function or layer is named Enigne"):
        _rewrite(base, artifacts={"Enigne": base / "other"})


def test_a_folder_that_does_not_exist_is_named(base: Path) -> None:
    (base / "layer").rmdir()

    with pytest.raises(TemplateError, match="Engine: there is no folder"):
        _rewrite(base)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "not a YAML mapping"),
        ("Outputs: {}", "no Resources"),
        ("Resources: {F: {Type: 'AWS::Serverless::Function'}}", "has no Properties"),
    ],
)
def test_what_is_no_template_is_an_error(base: Path, text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        _rewrite(base, text)


@pytest.mark.parametrize(
    ("metadata", "has_python", "prefix"),
    [
        ("{BuildMethod: python3.11}", False, "python"),
        ("{BuildMethod: python3.11}", True, ""),
        ("{}", False, ""),
    ],
    ids=["built", "built-with-folder", "as-is"],
)
def test_a_layer_that_sam_would_build_gets_sams_folder(
    base: Path, metadata: str, prefix: str, *, has_python: bool
) -> None:
    if has_python:
        (base / "layer/python").mkdir()
    text = (
        "Resources:\n  Engine:\n    Type: AWS::Serverless::LayerVersion\n"
        f"    Metadata: {metadata}\n    Properties: {{ContentUri: layer/}}\n"
    )

    _, uploads = _rewrite(base, text)

    assert uploads.codes["Engine"].prefix == prefix
