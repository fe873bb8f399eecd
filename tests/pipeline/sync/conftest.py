from tests.fakes.buckets import address, server, storage  # noqa: F401 (fixtures)
