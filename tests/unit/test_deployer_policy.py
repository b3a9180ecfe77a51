"""The policy for who deploys is JSON, and knows every kind of thing that the template makes."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.cloudformation import ROOT, load

POLICY: Final[dict[str, Any]] = json.loads((ROOT / "docs/deployer-policy.json").read_text("utf-8"))
# What makes and what removes each type; SAM turns its own types into several of CloudFormation's.
NEEDED: Final = {
    "AWS::CloudWatch::Alarm": ("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards"),
    "AWS::DynamoDB::Table": ("dynamodb:CreateTable", "dynamodb:UpdateTimeToLive"),
    "AWS::Events::Rule": ("events:PutRule", "events:PutTargets", "events:DeleteRule"),
    "AWS::IAM::ManagedPolicy": ("iam:CreatePolicy", "iam:DeletePolicy"),
    "AWS::IAM::Role": ("iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "iam:DeleteRole"),
    "AWS::Lambda::Permission": ("lambda:AddPermission", "lambda:RemovePermission"),
    "AWS::Logs::LogGroup": ("logs:CreateLogGroup", "logs:PutRetentionPolicy"),
    "AWS::S3::Bucket": ("s3:CreateBucket", "s3:PutLifecycleConfiguration"),
    "AWS::S3::BucketPolicy": ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    "AWS::SNS::Topic": ("sns:CreateTopic", "sns:Subscribe", "sns:DeleteTopic"),
    "AWS::SQS::Queue": ("sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:DeleteQueue"),
    "AWS::SQS::QueuePolicy": ("sqs:SetQueueAttributes",),
    "AWS::Serverless::Api": ("apigateway:POST", "apigateway:PUT", "apigateway:DELETE"),
    "AWS::Serverless::Function": (
        "lambda:CreateFunction",
        "lambda:CreateEventSourceMapping",
        "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:PutFunctionConcurrency",
        "lambda:DeleteFunction",
    ),
    "AWS::Serverless::LayerVersion": ("lambda:PublishLayerVersion", "lambda:DeleteLayerVersion"),
}


def actions() -> set[str]:
    listed = [each["Action"] for each in POLICY["Statement"]]
    return {each for some in listed for each in ([some] if isinstance(some, str) else some)}


def test_every_type_of_the_template_can_be_made_and_removed() -> None:
    types = {each["Type"] for each in load()["Resources"].values()}
    assert types <= set(NEEDED), "say above what a new type needs, and add it to the policy"
    assert {action for each in types for action in NEEDED[each]} <= actions()


def test_the_policy_is_a_policy_without_wildcards_in_its_actions() -> None:
    assert POLICY["Version"] == "2012-10-17"
    names = [each["Sid"] for each in POLICY["Statement"]]
    assert len(names) == len(set(names))
    for statement in POLICY["Statement"]:
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Allow"
    assert not [action for action in actions() if "*" in action]


def test_roles_are_handed_to_lambda_only() -> None:
    (statement,) = [each for each in POLICY["Statement"] if each["Action"] == "iam:PassRole"]
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}
    }


def test_the_default_stack_s_queues_are_within_the_policy() -> None:
    (queues,) = [each for each in POLICY["Statement"] if each["Sid"] == "Queues"]
    pattern = queues["Resource"].replace("ACCOUNT", "123456789012")
    assert fnmatchcase("arn:aws:sqs:eu-central-1:123456789012:everstep-steps", pattern)
