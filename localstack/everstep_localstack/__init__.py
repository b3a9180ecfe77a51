"""LocalStack without Docker: start it, deploy a SAM template to it, stop it.

- `server`: `LocalStack`, the whole life of one instance; what tests and the command line use;
- `instance`: its name, port, folders and options; `launch`: its environment;
- `processes`, `ports`: what runs, what is left over, who holds a port;
- `stacks`: deploy, outputs, teardown; with `template` (which local folders a template names)
  and `artifacts` (the same files always make the same archive);
- `dynamodb_local`: the optional real DynamoDB Local;
- `cli`: `python -m everstep_localstack`;
- `plugin`: what runs inside LocalStack, in LocalStack's own virtual environment.

Everything but `plugin` imports the standard library, boto3 and PyYAML alone.
"""

from everstep_localstack.errors import LocalStackError
from everstep_localstack.instance import DynamoDb, Options
from everstep_localstack.server import LocalStack
from everstep_localstack.stacks import Deployment

__all__ = ["Deployment", "DynamoDb", "LocalStack", "LocalStackError", "Options"]
