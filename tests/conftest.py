"""The order of the tests: the one that takes minutes is begun first, so that the others run beside it."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name != "test_day.py")
