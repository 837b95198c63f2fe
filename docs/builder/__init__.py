"""What Sphinx is told beside its own means: pages whose text is generated, contents, links to the glossary."""
