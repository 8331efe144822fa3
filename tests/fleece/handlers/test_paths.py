"""The cut between a deployment's part of a path and the application's."""

import doctest

import pytest

from fleece.handlers import _paths
from fleece.handlers._paths import split_before_route, split_prefix


def test_the_examples_of_the_documentation_hold():
    """The docstrings' examples are true."""
    assert doctest.testmod(_paths).failed == 0


@pytest.mark.parametrize(
    ("path", "prefix", "expected"),
    [
        ("/prod/users", "prod", ("/prod", "/users")),
        ("/prod", "/prod", ("/prod", "/")),
        ("/prod/", "/prod/", ("/prod", "/")),
        ("/production/users", "prod", ("", "/production/users")),
        ("/users", "prod", ("", "/users")),
        ("//a/b", "a", ("", "//a/b")),
        ("/users", "", ("", "/users")),
        ("", "prod", ("", "")),
    ],
)
def test_a_prefix_is_taken_off_by_whole_segments(path, prefix, expected):
    """Only a path that has the prefix as whole segments loses it."""
    assert split_prefix(path, prefix) == expected


@pytest.mark.parametrize(
    ("path", "route", "parameters", "expected"),
    [
        ("/shop/users/7", "/users/{id}", {"id": "7"}, ("/shop", "/users/7")),
        ("/users/7", "/users/{id}", {"id": "7"}, ("", "/users/7")),
        ("/shop/a/b c", "/{proxy+}", {"proxy": "a/b c"}, ("/shop", "/a/b c")),
        ("/shop/a b", "/{proxy+}", {"proxy": "a%20b"}, ("/shop", "/a b")),
        ("/shop/users/", "/users", {}, ("/shop", "/users/")),
        ("/shop", "/", {}, ("/shop", "/")),
        ("/", "/", {}, ("", "/")),
        ("/shop/", "/", {}, ("/shop", "/")),
        ("/elsewhere", "/users", {}, ("", "/elsewhere")),
        ("/users", "$default", {}, ("", "/users")),
        ("/users", "", {}, ("", "/users")),
        ("/users/{id}", "/users/{id}", {}, ("", "/users/{id}")),
        ("//a/b", "/{proxy+}", {"proxy": "a/b"}, ("", "//a/b")),  # slashes alone are no mapping
        ("/shop//a/b", "/{proxy+}", {"proxy": "a/b"}, ("/shop", "//a/b")),
        ("//", "/", {}, ("", "//")),
    ],
)
def test_what_precedes_the_route_is_the_base_path(path, route, parameters, expected):
    """On a custom domain, the base path mapping is whatever stands before the expanded route."""
    assert split_before_route(path, route, parameters) == expected
