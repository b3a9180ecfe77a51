"""The template keeps what the engine counts on: time-outs, durability, settings, alarms."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from everstep.adapters.dynamodb import items
from everstep.core.model import Head, OpKind, OpRecord, OpStatus, Payload, RunStatus
from tests.cloudformation import ROOT, TEMPLATE, Json, load, of_type, text

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.values import Item

TEMPLATE_AS_WRITTEN: Final = load()
PARAMETERS: Final[Json] = TEMPLATE_AS_WRITTEN["Parameters"]
RESOURCES: Final[Json] = TEMPLATE_AS_WRITTEN["Resources"]
TIMEOUTS: Final[Json] = TEMPLATE_AS_WRITTEN["Mappings"]["ExecutorTimeouts"]
FUNCTIONS: Final = of_type(TEMPLATE_AS_WRITTEN, "AWS::Serverless::Function")
ALARMS: Final = of_type(TEMPLATE_AS_WRITTEN, "AWS::CloudWatch::Alarm")

FOLDERS: Final = {
    "TriggerFunction": "trigger",
    "StepExecutorFunction": "step_executor",
    "ApiFunction": "api",
    "SweeperFunction": "sweeper",
    "DeadLetterFunction": "dead_letter",
    "AuthorizerFunction": "authorizer",
}
LONGEST_DELAY: Final = 900
FOURTEEN_DAYS: Final = 14 * 24 * 60 * 60


def projected(index: str, item: Item) -> Item:
    """Give of an item what an index holds: its keys, the table's and what is projected."""
    table = RESOURCES["Table"]["Properties"]
    (found,) = [each for each in table["GlobalSecondaryIndexes"] if each["IndexName"] == index]
    keys = [key["AttributeName"] for key in table["KeySchema"] + found["KeySchema"]]
    kept = {*keys, *found["Projection"]["NonKeyAttributes"]}
    return {name: value for name, value in item.items() if name in kept}


# -- Time-outs -------------------------------------------------------------------------------------


def test_every_allowed_executor_time_out_has_its_derived_durations() -> None:
    assert list(TIMEOUTS) == PARAMETERS["ExecutorTimeout"]["AllowedValues"]


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_message_stays_hidden_for_six_executor_time_outs(timeout: str) -> None:
    assert TIMEOUTS[timeout]["Visibility"] >= 6 * int(timeout)


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_the_first_message_is_repeated_only_after_its_delivery_has_ended(timeout: str) -> None:
    assert TIMEOUTS[timeout]["StartGrace"] == TIMEOUTS[timeout]["Visibility"] + 60


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_no_alarm_goes_off_for_the_longest_delay_and_one_lost_delivery(timeout: str) -> None:
    durations = TIMEOUTS[timeout]

    assert durations["OldestMessageAge"] >= LONGEST_DELAY + durations["Visibility"]


def test_queue_function_environment_and_alarm_use_the_same_row_of_the_mapping() -> None:
    def row(column: str) -> Json:
        return {"Fn::FindInMap": ["ExecutorTimeouts", {"Ref": "ExecutorTimeout"}, column]}

    variables = TEMPLATE_AS_WRITTEN["Globals"]["Function"]["Environment"]["Variables"]

    assert FUNCTIONS["StepExecutorFunction"]["Timeout"] == {"Ref": "ExecutorTimeout"}
    assert RESOURCES["StepQueue"]["Properties"]["VisibilityTimeout"] == row("Visibility")
    assert variables["EVERSTEP_START_GRACE_SECONDS"] == row("StartGrace")
    assert ALARMS["OldestStepMessageAlarm"]["Threshold"] == row("OldestMessageAge")


def test_a_dead_letter_stays_hidden_for_six_time_outs_of_its_function() -> None:
    visibility = RESOURCES["DeadLetterQueue"]["Properties"]["VisibilityTimeout"]

    assert visibility >= 6 * FUNCTIONS["DeadLetterFunction"]["Timeout"]


@pytest.mark.parametrize("name", ["TriggerFunction", "ApiFunction"])
def test_functions_behind_the_api_end_before_api_gateway_gives_up(name: str) -> None:
    assert FUNCTIONS[name]["Timeout"] <= 29


# -- Table, queues, bucket -------------------------------------------------------------------------


def test_the_table_has_the_keys_and_the_two_sparse_indexes() -> None:
    table = RESOURCES["Table"]["Properties"]
    keys = {i["IndexName"]: i["KeySchema"] for i in table["GlobalSecondaryIndexes"]}
    keys["(table)"] = table["KeySchema"]

    assert {
        name: [(k["AttributeName"], k["KeyType"]) for k in schema] for name, schema in keys.items()
    } == {
        "(table)": [("PK", "HASH"), ("SK", "RANGE")],
        "due": [("due_pk", "HASH"), ("due_at", "RANGE")],
        "list": [("list_pk", "HASH"), ("list_sk", "RANGE")],
    }
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    assert [name for name, kind in types.items() if kind != "S"] == ["due_at"]
    assert types["due_at"] == "N"


def test_the_indexes_carry_no_payloads() -> None:
    indexes = RESOURCES["Table"]["Properties"]["GlobalSecondaryIndexes"]
    projections = {i["IndexName"]: i["Projection"] for i in indexes}

    assert {p["ProjectionType"] for p in projections.values()} == {"INCLUDE"}
    for projection in projections.values():
        assert not {"input", "result", "error"} & set(projection["NonKeyAttributes"])


def test_the_due_index_carries_what_the_sweeper_reads() -> None:
    record = OpRecord(
        key="nap#1",
        kind=OpKind.SLEEP,
        status=OpStatus.WAITING,
        by="token",
        input_hash="hash",
        attempt=2,
        wake_at=7_000,
        due_at=5_000,
    )

    entry = items.to_due_entry(projected("due", items.from_record("run", record)))

    assert entry == items.to_due_entry(items.from_record("run", record))
    assert (entry.attempt, entry.wake_at) == (2, 7_000)


def test_the_list_index_carries_what_lists_show() -> None:
    head = Head(
        run_id="run",
        workflow="order",
        version="1",
        status=RunStatus.COMPLETED,
        input=Payload(text="{}"),
        created_at=5_000,
        by="token",
        ended_at=7_000,
        starts_at=6_000,
        reference_id="order-1",
        tags={"customer": "4711"},
    )

    listed = items.to_listed(projected("list", items.from_head(head)))

    assert listed == items.to_listed(items.from_head(head))
    assert listed.ended_at == 7_000
    assert (listed.starts_at, listed.reference_id) == (6_000, "order-1")
    assert listed.tags == {"customer": "4711"}


def test_the_table_is_on_demand_encrypted_recoverable_and_expires_items() -> None:
    table = RESOURCES["Table"]["Properties"]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    condition, own_key, _aws_owned_key = table["SSESpecification"]["Fn::If"]
    assert condition == "HasKmsKey"
    assert own_key == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}}


@pytest.mark.parametrize(
    # A table that refuses deletion would block the undoing of a failed first creation.
    ("name", "policy"),
    [("Table", "Retain"), ("PayloadBucket", "RetainExceptOnCreate")],
)
def test_runs_outlive_the_stack(name: str, policy: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == policy
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_table_refuses_deletion_unless_a_parameter_allows_it() -> None:
    protection = RESOURCES["Table"]["Properties"]["DeletionProtectionEnabled"]

    assert protection == {"Ref": "TableDeletionProtection"}
    assert PARAMETERS["TableDeletionProtection"]["Default"] == "true"


@pytest.mark.parametrize("name", ["StepQueue", "DeadLetterQueue"])
def test_queues_are_encrypted_and_keep_messages_as_long_as_sqs_can(name: str) -> None:
    queue = RESOURCES[name]["Properties"]

    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS
    assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKmsKey", {"Ref": "AWS::NoValue"}, True]}
    assert queue["KmsMasterKeyId"]["Fn::If"][:2] == ["HasKmsKey", {"Ref": "KmsKeyArn"}]


def test_only_the_step_queue_may_use_the_dead_letter_queue() -> None:
    steps = RESOURCES["StepQueue"]["Properties"]
    allowed = RESOURCES["DeadLetterQueue"]["Properties"]["RedriveAllowPolicy"]

    assert text(steps["RedrivePolicy"]["deadLetterTargetArn"]) == "DeadLetterQueue.Arn"
    assert steps["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}
    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert text(source).endswith(f":{text(steps['QueueName'])}")


def test_the_bucket_is_encrypted_and_closed_to_the_public() -> None:
    bucket = RESOURCES["PayloadBucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == {
        "Fn::If": ["HasKmsKey", "aws:kms", "AES256"]
    }
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4


def test_no_payload_expires_while_a_run_may_need_it() -> None:
    (rule,) = RESOURCES["PayloadBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert set(rule) == {"Id", "Status", "AbortIncompleteMultipartUpload"}


@pytest.mark.parametrize(
    ("policy", "resources"),
    [
        ("StepQueuePolicy", {"StepQueue.Arn"}),
        ("DeadLetterQueuePolicy", {"DeadLetterQueue.Arn"}),
        ("PayloadBucketPolicy", {"PayloadBucket.Arn", "${PayloadBucket.Arn}/*"}),
    ],
)
def test_queues_and_bucket_refuse_requests_without_tls(policy: str, resources: set[str]) -> None:
    (statement,) = RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"]
    covered = statement["Resource"]

    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert {text(r) for r in (covered if isinstance(covered, list) else [covered])} == resources


# -- Functions -------------------------------------------------------------------------------------


def test_each_function_is_a_folder_of_its_own() -> None:
    assert {name: f["CodeUri"] for name, f in FUNCTIONS.items()} == {
        name: f"functions/{folder}/" for name, folder in FOLDERS.items()
    }
    assert TEMPLATE_AS_WRITTEN["Globals"]["Function"]["Handler"] == "handler.handler"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_logs_to_its_own_group_which_forgets(name: str) -> None:
    group_id = text(FUNCTIONS[name]["LoggingConfig"]["LogGroup"])
    group = RESOURCES[group_id]["Properties"]

    assert text(group["LogGroupName"]) == f"/aws/lambda/{text(FUNCTIONS[name]['FunctionName'])}"
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_dead_letter_function_knows_how_often_its_messages_were_received_before() -> None:
    environment = FUNCTIONS["DeadLetterFunction"]["Environment"]["Variables"]
    redrive = RESOURCES["StepQueue"]["Properties"]["RedrivePolicy"]

    assert environment == {"EVERSTEP_MAX_RECEIVES": {"Ref": "MaxReceiveCount"}}
    assert text(redrive["maxReceiveCount"]) == text(environment["EVERSTEP_MAX_RECEIVES"])


def test_every_queue_consumer_reports_failures_message_by_message() -> None:
    sources = {
        text(event["Properties"]["Queue"]): event["Properties"]["FunctionResponseTypes"]
        for function in FUNCTIONS.values()
        for event in function.get("Events", {}).values()
    }

    assert sources == {
        "StepQueue.Arn": ["ReportBatchItemFailures"],
        "DeadLetterQueue.Arn": ["ReportBatchItemFailures"],
    }


def test_lambda_does_not_cut_off_runs_as_endless_loops() -> None:
    assert {name for name, f in FUNCTIONS.items() if f.get("RecursiveLoop") == "Allow"} == {
        "StepExecutorFunction",
        "DeadLetterFunction",
    }


def test_the_sweeper_runs_every_minute_and_only_its_schedule_may_start_it() -> None:
    schedule = RESOURCES["SweeperSchedule"]["Properties"]
    permission = RESOURCES["SweeperPermission"]["Properties"]

    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 minute)", "ENABLED")
    assert [text(target["Arn"]) for target in schedule["Targets"]] == ["SweeperFunction.Arn"]
    assert text(permission["SourceArn"]) == "SweeperSchedule.Arn"


@pytest.mark.parametrize(
    ("parameter", "variable"), [("Runtime", "RUNTIME"), ("Architecture", "ARCHITECTURE")]
)
def test_builds_are_for_what_the_template_deploys_by_default(parameter: str, variable: str) -> None:
    rules = (ROOT / "layers" / "artifact.mk").read_text(encoding="utf-8")

    assert re.findall(rf"^{variable} \?= (.+)$", rules, re.MULTILINE) == [
        PARAMETERS[parameter]["Default"]
    ]


# -- Alarms and outputs ----------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_an_alarm_for_its_errors_and_its_throttles(metric: str) -> None:
    watched = {
        text(alarm["Dimensions"][0]["Value"])
        for alarm in ALARMS.values()
        if (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/Lambda", metric)
    }

    assert watched == set(FUNCTIONS)


def test_a_dead_letter_raises_an_alarm_whether_or_not_it_is_consumed_at_once() -> None:
    waiting, arrived = ALARMS["DeadLetterDepthAlarm"], ALARMS["DeadLetterArrivalAlarm"]

    assert text(waiting["Dimensions"][0]["Value"]) == "DeadLetterQueue.QueueName"
    assert text(arrived["Dimensions"][0]["Value"]) == "DeadLetterFunction"
    assert (waiting["Threshold"], arrived["Threshold"]) == (0, 0)


def test_a_sweeper_that_leaves_no_trace_raises_an_alarm() -> None:
    alarm = ALARMS["SweeperSilentAlarm"]

    assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("Invocations", "breaching")


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_tells_whoever_the_parameters_name(name: str) -> None:
    told = [action["Fn::If"] for action in ALARMS[name]["AlarmActions"]]

    assert [(condition, text(target)) for condition, target, _ in told] == [
        ("HasAlarmTopic", "AlarmTopicArn"),
        ("HasAlarmEmail", "AlarmTopic"),
    ]


def test_outputs_name_everything_that_clients_and_tools_need() -> None:
    assert set(TEMPLATE_AS_WRITTEN["Outputs"]) == {
        "ApiUrl",
        "ApiId",
        "StageName",
        "TableName",
        "QueueUrl",
        "QueueArn",
        "DeadLetterQueueUrl",
        "BucketName",
    } | {f"{name}Name" for name in FOLDERS}


def test_cfn_lint_finds_nothing() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (0, "")
