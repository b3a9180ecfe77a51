# Without this, `import localstack` is the project's folder of that name. LocalStack itself is not
# installed where types are checked: its submodules are missing imports, and all known is Any.
from _typeshed import Incomplete

def __getattr__(name: str) -> Incomplete: ...
