"""What can go wrong, told to the person who can mend it.

LocalStackError
├── MissingError          something is not installed; the message names the make target
├── PortTakenError        somebody else listens on the port
├── NotRunningError       there is no instance of that name
├── AlreadyRunningError   there is one, with other options
├── StartError            LocalStack ended, or did not become ready in time
├── TemplateError         the template names something that is not there
└── DeployError           CloudFormation refused, rolled back, or did not answer
"""


class LocalStackError(Exception):
    """Base of all errors of this package; its text says what to do."""


class MissingError(LocalStackError):
    """Something that must be installed first is not there."""


class PortTakenError(LocalStackError):
    """The port is in use by another program."""

    def __init__(self, port: int, holder: str) -> None:
        super().__init__(
            f"port {port} is taken by {holder}: stop it, or choose another one with --port"
        )
        self.port = port


class NotRunningError(LocalStackError):
    """The instance does not run."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"LocalStack instance {name!r} is not running:"
            f" start it with `python -m everstep_localstack start --instance {name}`"
        )
        self.name = name


class AlreadyRunningError(LocalStackError):
    """The instance runs with other options than those asked for."""


class StartError(LocalStackError):
    """LocalStack did not become ready."""


class TemplateError(LocalStackError):
    """The template cannot be packaged."""


class DeployError(LocalStackError):
    """CloudFormation did not deploy the stack."""
