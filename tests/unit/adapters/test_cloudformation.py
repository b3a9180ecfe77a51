"""A stack as settings: what its outputs and parameters say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from everstep.adapters.cloudformation import stack_variables
from everstep.settings import Settings

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

OUTPUTS: Final = {"TableName": "runs", "BucketName": "payloads", "QueueUrl": "http://q"}
PLACE: Final = {
    "EVERSTEP_TABLE": "runs",
    "EVERSTEP_BUCKET": "payloads",
    "EVERSTEP_QUEUE_URL": "http://q",
}


def variables(**parameters: str) -> dict[str, str]:
    """Give the variables of a stack with these parameters."""

    class Stack:
        def describe_stacks(self, **_: object) -> dict[str, Any]:
            outputs = [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()]
            given = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
            stack = {"StackStatus": "CREATE_COMPLETE", "Outputs": outputs, "Parameters": given}
            return {"Stacks": [stack]}

    return stack_variables(cast("CloudFormationClient", Stack()), "shop")


def test_a_parameter_that_is_a_setting_says_what_the_functions_are_told() -> None:
    found = variables(MaxConcurrentRuns="5", MaxConcurrentRunsOf="a=1", RetentionDays="")
    assert found == PLACE | {
        "EVERSTEP_MAX_CONCURRENT_RUNS": "5",
        "EVERSTEP_MAX_CONCURRENT_RUNS_OF": "a=1",
        "EVERSTEP_RETENTION_DAYS": "",
    }
    settings = Settings.read(found)
    assert (settings.max_concurrent_runs, settings.retention_days) == (5, 0)


def test_what_the_template_makes_something_else_of_is_not_taken_for_it() -> None:
    assert variables(ExecutorTimeout="900", MemorySize="256") == PLACE


def test_whoever_goes_to_the_table_reads_payloads_with_the_key_of_the_stack() -> None:
    assert variables(PayloadKeyArn="arn:key") == PLACE | {
        "EVERSTEP_PAYLOAD_CODEC": "kms",
        "EVERSTEP_PAYLOAD_KEY": "arn:key",
    }
    assert "EVERSTEP_PAYLOAD_CODEC" not in variables(PayloadKeyArn="")
