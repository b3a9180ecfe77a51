"""What API Gateway makes of a Lambda authorizer's answer; pure, so that tests can ask it, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INVOKE: Final = "execute-api:Invoke"
LARGEST_ANSWER: Final = 8192
"""Bytes of an authorizer's answer that API Gateway takes."""
_SCALARS: Final = (str, int, float, bool)


class ConfigurationError(Exception):
    """The authorizer answered something that API Gateway does not take: a 500."""


class MissingIdentityError(Exception):
    """A request lacks something that the authorizer's answers are cached by: a 401."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an authorizer answered.

    Attributes:
        principal: Who calls.
        policy: What he may call.
        context: What goes on to the function, all of it text.
    """

    principal: str
    policy: Mapping[str, Any]
    context: Mapping[str, str]

    def allows(self, method_arn: str) -> bool:
        """Say whether the policy allows a call: some statement does, and none denies it."""
        effects = {
            statement["Effect"]
            for statement in _several(self.policy["Statement"])
            if _covers(statement, method_arn)
        }
        return "Allow" in effects and "Deny" not in effects


def decision(answer: Any) -> Decision:  # noqa: ANN401 - JSON
    """Return what an authorizer's answer says.

    Raises:
        ConfigurationError: It is not what API Gateway takes.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("principalId"), str):
        raise ConfigurationError("the authorizer names no principal")
    policy, context = answer.get("policyDocument"), answer.get("context") or {}
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise ConfigurationError("the authorizer gives no policy")
    if not all(isinstance(value, _SCALARS) for value in context.values()):
        raise ConfigurationError("the authorizer's context holds more than plain values")
    return Decision(
        principal=answer["principalId"],
        policy=policy,
        context={name: _text(value) for name, value in context.items()},
    )


def identity(
    source: str | None, headers: Mapping[str, str], variables: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return what an answer is cached by.

    Args:
        source: Expressions such as ``method.request.header.Name``, separated by commas.
        headers: Headers of the request by lower-case name.
        variables: ``$context``.

    Raises:
        MissingIdentityError: Some of it is not there: the authorizer is not even asked.
        ConfigurationError: An expression of a kind that is not known here.
    """
    values = tuple(
        _value(each.strip(), headers, variables) for each in (source or "").split(",") if each
    )
    if not all(values):
        raise MissingIdentityError
    return values


def _value(expression: str, headers: Mapping[str, str], variables: Mapping[str, Any]) -> str:
    kind, _, name = expression.rpartition(".")
    match kind:
        case "method.request.header":
            return headers.get(name.lower(), "")
        case "context":
            return str(variables.get(name) or "")
        case _:
            raise ConfigurationError(f"{expression} is not known")


def rendered(template: str, variables: Mapping[str, Any]) -> str:
    """Return the template of a gateway response with its variables replaced; more it cannot do."""
    return re.sub(r"\$context((?:\.\w+)+)", lambda found: _looked_up(found[1], variables), template)


def _looked_up(path: str, variables: Mapping[str, Any]) -> str:
    value: Any = variables
    for name in path.strip(".").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else _text(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _covers(statement: Mapping[str, Any], method_arn: str) -> bool:
    actions = _several(statement["Action"])
    return any(_matches(each, INVOKE) for each in actions) and any(
        _matches(each, method_arn) for each in _several(statement["Resource"])
    )


def _matches(pattern: str, text: str) -> bool:
    """Say whether a pattern of IAM matches: ``*`` is anything, ``?`` any one letter."""
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(letter) or re.escape(letter) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _several(value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    yield from value if isinstance(value, list) else [value]
