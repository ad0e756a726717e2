"""Where packets that are still coming come from: one module per kind of source, registered in ``registry``."""
