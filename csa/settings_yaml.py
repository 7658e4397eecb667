"""YAML without its traps: `17:00` and `no` stay text, and a key may stand only once."""

import re
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """Safe loader with the scalars of YAML 1.2 and without duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        """Build a mapping, refusing a key that is there twice.

        Parameters
        ----------
        node : yaml.MappingNode
            The mapping in the file.
        deep : bool
            Whether nested nodes are built at once.

        Returns
        -------
        dict
            The mapping.
        """
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key_node.tag != "tag:yaml.org,2002:merge" and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'key "{key}" is there twice', key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


# YAML 1.1 reads 17:00 as 1020, 0o17-like 017 as 15 and no as false; csa.yml means what it shows.
Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in pairs if tag.rsplit(":", 1)[1] not in ("bool", "int")
    ]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
