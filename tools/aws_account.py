"""Whose account it is, and whether anything can be done there at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

    from tools.deployment import Plan

_SIGN_IN: Final = "choose others with PROFILE=name, or sign in (aws sso login, aws configure)"
_QUICK: Final = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2})


class UsageError(Exception):
    """Something is wrong with what was given; the message says what, and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that answers to our credentials.

    Attributes:
        number: Of the account.
        caller: Who we are there.
        region: Where things will be made.
        endpoint: AWS_ENDPOINT_URL; empty for AWS itself.
        cloudformation: Client of that region.
    """

    number: str
    caller: str
    region: str
    endpoint: str
    cloudformation: CloudFormationClient

    def stack(self, name: str) -> Any | None:  # noqa: ANN401 - boto3's description
        """Return a stack's description, or None if there is none."""
        try:
            return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise


def account_of(plan: Plan) -> Account:
    """Return the account that the credentials at hand belong to.

    Raises:
        UsageError: There are no credentials, they are no good, or no region is chosen.
    """
    try:
        session = boto3.Session(profile_name=plan.profile or None, region_name=plan.region or None)
        region = _region(session)
        identity = session.client("sts", config=_QUICK).get_caller_identity()
        cloudformation = session.client("cloudformation", config=_QUICK)
    except ProfileNotFound as error:
        raise UsageError(f"{error}: `aws configure list-profiles` says what there is") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageError(f"there are no complete AWS credentials: {_SIGN_IN}") from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "no code")
        raise UsageError(f"AWS refuses these credentials ({code}): {_SIGN_IN}") from error
    except (BotoCoreError, NoRegionError, ValueError) as error:
        raise UsageError(f"AWS cannot be asked who we are: {error}") from error
    return Account(
        number=identity["Account"],
        caller=identity["Arn"],
        region=region,
        endpoint=os.environ.get("AWS_ENDPOINT_URL", ""),
        cloudformation=cloudformation,
    )


def _region(session: boto3.Session) -> str:
    region = session.region_name
    if not region:
        raise UsageError("no region is chosen: give REGION=eu-central-1, or set AWS_REGION")
    if not os.environ.get("AWS_ENDPOINT_URL") and region not in _regions(session):
        raise UsageError(f"REGION is {region!r}, which is none that CloudFormation is in")
    return region


def _regions(session: boto3.Session) -> set[str]:
    return {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("cloudformation", partition)
    }
