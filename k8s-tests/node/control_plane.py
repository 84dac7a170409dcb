"""Daemons of the machine that runs the control plane: their command lines."""

from dataclasses import dataclass
from pathlib import Path

from node.identities import API_ADDRESS
from node.machine import Daemon, Machine
from node.network import BRIDGE
from node.plan import (
    API_PORT,
    CLUSTER_DOMAIN,
    CONTROL,
    CONTROL_ADDRESS,
    PODS,
    SERVICES,
    ClusterPlan,
)

METRICS_PORT = 4443
ETCD = "http://127.0.0.1:2379"
# Kubernetes waits 40 s; a test of a lost node should not.
NODE_GRACE_SECONDS = 16
UNREACHABLE_SECONDS = 5
PROVISIONER = "conveyor.test/local-path"
PROVISIONER_NAMESPACE = "local-path-storage"
PROVISIONER_CONFIG = "local-path-config"


@dataclass(frozen=True)
class ControlPlane:
    """Pure: turns a plan and the place of the programs into the specification of a machine."""

    plan: ClusterPlan
    programs: Path

    def machine(self, *more: Daemon) -> Machine:
        folder = self.plan.folder(CONTROL)
        return Machine(
            name=CONTROL,
            log=str(folder / "log"),
            awaited=f"{BRIDGE}\t",
            mounts=(),
            folders=(str(folder / "etcd"),),
            shown={},
            settings={"net.ipv4.ip_forward": "1"},
            daemons=(
                self.etcd(),
                self.api_server(),
                self.controller_manager(),
                self.scheduler(),
                self.dns(),
                self.metrics_server(),
                self.provisioner(),
                *more,
            ),
        )

    def etcd(self) -> Daemon:
        return self._daemon(
            "etcd",
            name=CONTROL,
            data_dir=self.plan.folder(CONTROL) / "etcd",
            listen_client_urls=ETCD,
            advertise_client_urls=ETCD,
            listen_peer_urls="http://127.0.0.1:2380",
            # Half of the start would be waiting for the disk, and the data lives no longer than the cluster.
            unsafe_no_fsync="true",
        )

    def api_server(self) -> Daemon:
        return self._daemon(
            "kube-apiserver",
            etcd_servers=ETCD,
            bind_address=CONTROL_ADDRESS,
            advertise_address=CONTROL_ADDRESS,
            secure_port=API_PORT,
            service_cluster_ip_range=SERVICES,
            authorization_mode="Node,RBAC",
            enable_admission_plugins="NodeRestriction",
            default_not_ready_toleration_seconds=UNREACHABLE_SECONDS,
            default_unreachable_toleration_seconds=UNREACHABLE_SECONDS,
            allow_privileged="true",
            anonymous_auth="true",
            client_ca_file=self._pki("ca.crt"),
            tls_cert_file=self._pki("kube-apiserver.crt"),
            tls_private_key_file=self._pki("kube-apiserver.key"),
            kubelet_client_certificate=self._pki("apiserver-kubelet-client.crt"),
            kubelet_client_key=self._pki("apiserver-kubelet-client.key"),
            kubelet_certificate_authority=self._pki("ca.crt"),
            kubelet_preferred_address_types="InternalIP",
            service_account_issuer=f"https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
            service_account_key_file=self._pki("service-accounts.pub"),
            service_account_signing_key_file=self._pki("service-accounts.key"),
            requestheader_client_ca_file=self._pki("ca.crt"),
            requestheader_allowed_names="front-proxy-client",
            requestheader_username_headers="X-Remote-User",
            requestheader_group_headers="X-Remote-Group",
            requestheader_extra_headers_prefix="X-Remote-Extra-",
            proxy_client_cert_file=self._pki("front-proxy-client.crt"),
            proxy_client_key_file=self._pki("front-proxy-client.key"),
            # The control plane has no kube-proxy, so it reaches services by their endpoints.
            enable_aggregator_routing="true",
            # no connection of a client may end with the control plane's start
            goaway_chance="0",
        )

    def controller_manager(self) -> Daemon:
        return self._daemon(
            "kube-controller-manager",
            kubeconfig=self._pki("kube-controller-manager.kubeconfig"),
            authentication_kubeconfig=self._pki("kube-controller-manager.kubeconfig"),
            authorization_kubeconfig=self._pki("kube-controller-manager.kubeconfig"),
            bind_address="127.0.0.1",
            cluster_cidr=PODS,
            service_cluster_ip_range=SERVICES,
            # the plan gives each node its range; two givers would disagree
            allocate_node_cidrs="false",
            use_service_account_credentials="true",
            service_account_private_key_file=self._pki("service-accounts.key"),
            root_ca_file=self._pki("ca.crt"),
            node_monitor_grace_period=f"{NODE_GRACE_SECONDS}s",
            node_monitor_period="2s",
            horizontal_pod_autoscaler_sync_period="5s",
            leader_elect="false",
        )

    def scheduler(self) -> Daemon:
        return self._daemon(
            "kube-scheduler",
            kubeconfig=self._pki("kube-scheduler.kubeconfig"),
            authentication_kubeconfig=self._pki("kube-scheduler.kubeconfig"),
            authorization_kubeconfig=self._pki("kube-scheduler.kubeconfig"),
            bind_address="127.0.0.1",
            leader_elect="false",
        )

    def dns(self) -> Daemon:
        return self._daemon("coredns", conf=self.plan.folder(CONTROL) / "Corefile")

    def metrics_server(self) -> Daemon:
        return self._daemon(
            "metrics-server",
            kubeconfig=self._pki("metrics-server.kubeconfig"),
            authentication_kubeconfig=self._pki("metrics-server.kubeconfig"),
            authorization_kubeconfig=self._pki("metrics-server.kubeconfig"),
            bind_address=CONTROL_ADDRESS,
            secure_port=METRICS_PORT,
            tls_cert_file=self._pki("metrics-server.crt"),
            tls_private_key_file=self._pki("metrics-server.key"),
            kubelet_certificate_authority=self._pki("ca.crt"),
            kubelet_preferred_address_types="InternalIP",
            kubelet_request_timeout="5s",
            # must exceed the timeout of a request
            metric_resolution="15s",
        )

    def provisioner(self) -> Daemon:
        argv = (
            str(self.programs / "local-path-provisioner"),
            "start",
            f"--kubeconfig={self._pki('local-path-provisioner.kubeconfig')}",
            f"--provisioner-name={PROVISIONER}",
            f"--namespace={PROVISIONER_NAMESPACE}",
            f"--configmap-name={PROVISIONER_CONFIG}",
            "--service-account-name=default",
        )
        return Daemon("local-path-provisioner", argv)

    def corefile(self) -> str:
        return f""".:53 {{
    bind {CONTROL_ADDRESS}
    errors
    health {CONTROL_ADDRESS}:8080
    ready {CONTROL_ADDRESS}:8181
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        endpoint {API_ADDRESS}
        tls {self._pki("coredns.crt")} {self._pki("coredns.key")} {self._pki("ca.crt")}
        pods insecure
        ttl 5
    }}
    cache 30 {{
        disable success {CLUSTER_DOMAIN}
        disable denial {CLUSTER_DOMAIN}
    }}
}}
"""

    def _pki(self, name: str) -> Path:
        return self.plan.pki / name

    def _daemon(self, program: str, **flags: object) -> Daemon:
        arguments = (f"--{name.replace('_', '-')}={value}" for name, value in flags.items())
        if program == "coredns":  # single dash
            arguments = (f"-{name}={value}" for name, value in flags.items())
        return Daemon(program, (str(self.programs / program), *arguments))
