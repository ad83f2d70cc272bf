"""The command `dlzoo`: one file per command, and the shared rendering."""
