"""The networks: small ones for small data, the ones that the SAM literature trains, and torchvision's."""

from samcli.models._base import MODELS as MODELS
from samcli.models._base import ModelKind as ModelKind
from samcli.models._categories import WithCategories as WithCategories
from samcli.models._pretrained import Pretrained as Pretrained
from samcli.models._pretrained import for_channels as for_channels
from samcli.models._pretrained import is_file as is_file
from samcli.models.build import build as build
from samcli.models.build import fits as fits
from samcli.models.cnn import CNN as CNN
from samcli.models.dense import MLP as MLP
from samcli.models.dense import Linear as Linear
from samcli.models.ft_transformer import FTTransformer as FTTransformer
from samcli.models.gpt import GPT as GPT
from samcli.models.resnet import ResNet18 as ResNet18
from samcli.models.resnet import ResNet20 as ResNet20
from samcli.models.resnet_tabular import ResNetTabular as ResNetTabular
from samcli.models.strided_cnn import StridedCNN as StridedCNN
from samcli.models.text_encoder import TextEncoder as TextEncoder
from samcli.models.timm_zoo import TimmModel as TimmModel
from samcli.models.torchvision_zoo import TorchvisionModel as TorchvisionModel
from samcli.models.transformers_zoo import TransformersModel as TransformersModel
from samcli.models.vit import ViT as ViT
from samcli.models.wrn import WRN16x4 as WRN16x4
from samcli.models.wrn import WRN28x10 as WRN28x10
