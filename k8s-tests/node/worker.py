"""Daemons of a node that runs pods: containerd, kubelet and kube-proxy, and their configuration files."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from node import containerd
from node.machine import Daemon, Machine, Mount
from node.network import DEFAULT_ROUTE, INTERFACE
from node.plan import CLUSTER_DOMAIN, DNS_SERVICE, PODS, ClusterPlan, Node

CNI_PROGRAMS = "/usr/lib/cni"
PAUSE_IMAGE = "docker.io/library/pause:conveyor"
# Renewed four times in this span, so that a lost node is noticed within the control plane's patience.
LEASE_SECONDS = 16


@dataclass(frozen=True)
class Worker:
    """Pure: turns a plan and the place of the programs into a machine and its files.

    A node sees its own folders as /var and /run, so that everything stands where it stands on any node.
    """

    plan: ClusterPlan
    node: Node
    programs: Path

    @property
    def folder(self) -> Path:
        return self.plan.folder(self.node.name)

    def machine(self) -> Machine:
        return Machine(
            name=self.node.name,
            log=str(self.folder / "log"),
            awaited=f"{INTERFACE}\t{DEFAULT_ROUTE}\t",
            mounts=(Mount("/var", str(self.folder / "var")), Mount("/run")),
            folders=(
                "/run/lock",
                "/run/netns",
                "/var/lib",
                "/var/lib/local-path",
                "/var/log/containers",
                "/var/log/pods",
                "/var/tmp",  # noqa: S108 - the node's own
            ),
            # The kubelet would set how the whole host overcommits memory and panics, unless it finds it so.
            shown={"vm.overcommit_memory": "1", "kernel.panic": "10", "kernel.panic_on_oops": "1"},
            settings={"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"},
            daemons=(self.containerd(), self.kubelet(), self.kube_proxy(), self.network_policy()),
        )

    def containerd(self) -> Daemon:
        return Daemon("containerd", ("containerd", "--config", str(self.folder / "containerd.toml")))

    def kubelet(self) -> Daemon:
        argv = (
            str(self.programs / "kubelet"),
            f"--config={self.folder / 'kubelet.json'}",
            f"--kubeconfig={self.plan.pki / f'{self.node.name}.kubeconfig'}",
            f"--hostname-override={self.node.name}",
            f"--node-ip={self.node.address}",
        )
        return Daemon("kubelet", argv, after=containerd.SOCKET)

    def kube_proxy(self) -> Daemon:
        config = self.folder / "kube-proxy.json"
        return Daemon("kube-proxy", (str(self.programs / "kube-proxy"), f"--config={config}"))

    def network_policy(self) -> Daemon:
        argv = (sys.executable, "-m", "node.policies.enforcer", str(self.plan.pki), self.node.name)
        return Daemon("network-policy", argv)

    def files(self) -> dict[str, str]:
        """Return the content of each configuration file of the node, by name."""
        return {
            "containerd.toml": self.containerd_settings(),
            "kubelet.json": json.dumps(self.kubelet_settings(), indent=1),
            "kube-proxy.json": json.dumps(self.kube_proxy_settings(), indent=1),
            "cni/10-conveyor.conflist": json.dumps(self.pod_network(), indent=1),
            "resolv.conf": f"nameserver {DNS_SERVICE}\n",
        }

    def containerd_settings(self) -> str:
        return f"""{containerd.settings()}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# not every root may lower the score, and then no sandbox would start
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PROGRAMS}"
conf_dir = "{self.folder / "cni"}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""

    def pod_network(self) -> dict[str, object]:
        bridge = {
            "type": "bridge",
            "bridge": "pods",
            "isGateway": True,
            # pods keep their address towards other nodes: there is nowhere else to go
            "ipMasq": False,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": self.node.pods}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
        ports = {"type": "portmap", "capabilities": {"portMappings": True}}
        return {"cniVersion": "0.4.0", "name": "conveyor", "plugins": [bridge, ports]}

    def kubelet_settings(self) -> dict[str, object]:
        pki = self.plan.pki
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki / f"{self.node.name}.crt"),
            "tlsPrivateKeyFile": str(pki / f"{self.node.name}.key"),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.plan.cgroup(self.node.name)}",
            "enforceNodeAllocatable": [],
            "clusterDNS": [str(DNS_SERVICE)],
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": str(self.folder / "resolv.conf"),
            "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
            "failSwapOn": False,
            "localStorageCapacityIsolation": False,
            # An image that was collected could not be pulled again.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "nodeStatusUpdateFrequency": "4s",
            "nodeLeaseDurationSeconds": LEASE_SECONDS,
        }

    def kube_proxy_settings(self) -> dict[str, object]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": str(PODS),
            "hostnameOverride": self.node.name,
            "clientConnection": {"kubeconfig": str(self.plan.pki / "kube-proxy.kubeconfig")},
            # zero keeps the host's limits
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }
