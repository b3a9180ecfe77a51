"""What a run has cost, as ``/openapi.json`` describes it; see ``answers``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Something that is answered; a newer version may add to it."""

    model_config = ConfigDict(defer_build=True)


class TakenShown(Answer):
    """What was taken, in units as AWS bills them, and in dollars."""

    dollars: float
    read_units: float
    write_units: int
    index_write_units: int
    table_requests: int
    sqs_sends: int
    sqs_polls: float = Field(description="Of Lambda's poller: two for each batch of messages.")
    invocations: float
    milliseconds: int
    gb_seconds: float
    s3_puts: int
    s3_gets: int
    api_requests: int


class StepTakenShown(TakenShown):
    """What was taken for an operation."""

    key: str


class PricesShown(Answer):
    """By which prices dollars are told."""

    date: str
    region: str
    architecture: str


class CostShown(TakenShown):
    """What a run has cost."""

    complete: bool = Field(description="Whether the run has ended.")
    successor: str | None = Field(None, description="The run that goes on in its place.")
    chain: TakenShown | None = Field(
        None, description="Together with the runs in whose place it goes on, if there are any."
    )
    dollars_by: dict[str, float]
    steps: list[StepTakenShown]
    rest: TakenShown
    prices: PricesShown
