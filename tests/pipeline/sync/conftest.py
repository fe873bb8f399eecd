from tests.fakes.buckets import address, storage  # noqa: F401 (fixtures)
