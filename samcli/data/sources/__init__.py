"""The data sets, one file for each family; this order is that of `samcli list datasets`.

Importing a file enters its data sets into `DATASETS`. A family imports no other.
"""

# isort: off
from samcli.data.sources.embedded import Digits as Digits
from samcli.data.sources.embedded import BreastCancer as BreastCancer
from samcli.data.sources.embedded import Wine as Wine
from samcli.data.sources.embedded import Diabetes as Diabetes
from samcli.data.sources.synthetic import Linear as Linear
from samcli.data.sources.synthetic import Blobs as Blobs
from samcli.data.sources.vision import MNIST as MNIST
from samcli.data.sources.vision import FashionMNIST as FashionMNIST
from samcli.data.sources.vision import KMNIST as KMNIST
from samcli.data.sources.vision import CIFAR10 as CIFAR10
from samcli.data.sources.vision import CIFAR100 as CIFAR100
from samcli.data.sources.vision import SVHN as SVHN
from samcli.data.sources.image_folder import ImageFolder as ImageFolder
from samcli.data.sources.wds import WebDatasetShards as WebDatasetShards
from samcli.data.sources.csv_file import CsvFile as CsvFile
from samcli.data.sources.text import Text as Text
from samcli.data.sources.text_csv import TextCsv as TextCsv
from samcli.data.sources.text_folder import TextFolder as TextFolder
