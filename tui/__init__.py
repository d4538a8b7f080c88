"""The front ends: the command line and the dashboard. They read the journal and send commands; never import torch."""
