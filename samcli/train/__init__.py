"""One run: its loop, its checkpoints, its provenance."""

from samcli.train.catalogue import CATALOGUE as CATALOGUE
from samcli.train.run import train_run as train_run
from samcli.train.session import Session as Session
from samcli.train.trained import Trained as Trained
from samcli.train.trained import load_trained as load_trained
