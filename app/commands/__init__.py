"""The commands of `suanquan`, one a file. Each file is imported only when its command is called."""
