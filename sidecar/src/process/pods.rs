//! Which pod a container belongs to, as the kubelet and container runtimes leave it on disk: no API server is asked.

use crate::limits::{CONTAINER_CONFIG_BYTES_MAX, PODS_MAX};
use hashbrown::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A folder for each pod, `NAMESPACE_NAME_UID`, where the kubelet has its containers' logs (pkg/kubelet/kuberuntime).
const BY_UID: &str = "var/log/pods";
/// A link for each container, `NAME_NAMESPACE_CONTAINER-ID.log`.
const BY_CONTAINER: &str = "var/log/containers";

/// Where runtimes keep what they were told of a container: folder, below which its id stands, file, and how they name its
/// pod's namespace and name.
const CONFIGS: [(&str, &str, [&str; 2]); 2] = [
    (
        "run/containerd/io.containerd.runtime.v2.task/k8s.io",
        "config.json",
        [
            "io.kubernetes.cri.sandbox-namespace",
            "io.kubernetes.cri.sandbox-name",
        ],
    ),
    (
        "run/containers/storage/overlay-containers",
        "userdata/config.json",
        ["io.kubernetes.pod.namespace", "io.kubernetes.pod.name"],
    ),
];

/// Pods by what their cgroups are named by.
#[derive(Debug)]
pub(super) struct Pods {
    by_uid: Listing,
    by_container: Listing,
    root: PathBuf,
}

impl Pods {
    /// Those of the host whose files are below `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            by_uid: Listing::new(root.join(BY_UID), |name| {
                let (rest, uid) = name.rsplit_once('_')?;
                let (namespace, name) = rest.split_once('_')?;
                Some((uid.to_owned(), format!("{namespace}/{name}")))
            }),
            by_container: Listing::new(root.join(BY_CONTAINER), |name| {
                let (rest, container) = name.strip_suffix(".log")?.rsplit_once('_')?;
                let (name, namespace) = rest.split_once('_')?;
                let (_, id) = container.rsplit_once('-')?;
                Some((id.to_owned(), format!("{namespace}/{name}")))
            }),
            root: root.to_owned(),
        }
    }

    /// `NAMESPACE/NAME` of the pod that a process with this /proc/PID/cgroup and in this container is of; empty when it
    /// is of none, or not known.
    pub(super) fn name(&mut self, cgroups: &str, container: &str) -> String {
        let by_uid = uid(cgroups).and_then(|uid| self.by_uid.find(&uid));
        let found = by_uid.or_else(|| {
            let known = !container.is_empty();
            known.then(|| {
                self.by_container
                    .find(container)
                    .or_else(|| self.by_config(container))
            })?
        });
        found.unwrap_or_default()
    }

    fn by_config(&self, container: &str) -> Option<String> {
        CONFIGS.iter().find_map(|(folder, file, keys)| {
            let mut text = Vec::new();
            let file = File::open(self.root.join(folder).join(container).join(file)).ok()?;
            file.take(CONTAINER_CONFIG_BYTES_MAX)
                .read_to_end(&mut text)
                .ok()?;
            let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
            let [namespace, name] = keys.map(|key| config["annotations"][key].as_str());
            Some(format!("{}/{}", namespace?, name?))
        })
    }
}

/// What the names in a folder say.
#[derive(Debug)]
struct Listing {
    folder: PathBuf,
    read: fn(&str) -> Option<(String, String)>,
    known: HashMap<String, String>,
    /// When the folder was changed last, as far as it was read.
    changed: Option<SystemTime>,
}

impl Listing {
    fn new(folder: PathBuf, read: fn(&str) -> Option<(String, String)>) -> Self {
        Self {
            folder,
            read,
            known: HashMap::new(),
            changed: None,
        }
    }

    fn find(&mut self, key: &str) -> Option<String> {
        if !self.known.contains_key(key) {
            self.refresh();
        }
        self.known.get(key).cloned()
    }

    /// Reads the folder if it has changed.
    fn refresh(&mut self) {
        let changed = fs::metadata(&self.folder)
            .and_then(|folder| folder.modified())
            .ok();
        if changed.is_none() || changed == self.changed {
            return;
        }
        self.changed = changed;
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        self.known = names
            .filter_map(|name| (self.read)(&name))
            .take(PODS_MAX)
            .collect();
    }
}

/// The pod's uid in the text of /proc/PID/cgroup: behind `pod`, with `-` or, by systemd, `_` between its parts. Pods from
/// files have one without parts.
fn uid(cgroups: &str) -> Option<String> {
    cgroups.match_indices("pod").find_map(|(at, found)| {
        let rest = cgroups.get(at + found.len()..)?;
        let is_part = |c: char| c.is_ascii_hexdigit() || c == '-' || c == '_';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let uid = rest.get(..end)?.replace('_', "-");
        let parts: Vec<usize> = uid.split('-').map(str::len).collect();
        matches!(parts[..], [8, 4, 4, 4, 12] | [32]).then_some(uid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const UID: &str = "6f8d0c34-17a2-4f0f-9a3e-52a0a2d7b6a1";
    const STATIC: &str = "0123456789abcdef0123456789abcdef";
    const ID: &str = "9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f";

    #[test]
    fn uids_in_cgroups() {
        let systemd = UID.replace('-', "_");
        for (path, expected) in [
            (
                format!(
                    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{systemd}.slice/cri-containerd-{ID}.scope\n"
                ),
                UID,
            ),
            (
                format!("12:memory:/kubepods/besteffort/pod{UID}/{ID}\n0::/\n"),
                UID,
            ),
            (
                format!("0::/../kubepods-besteffort-pod{systemd}.slice/crio-{ID}.scope\n"),
                UID,
            ),
            (format!("0::/kubepods/pod{STATIC}/{ID}\n"), STATIC),
            (format!("0::/kubepods.slice/kubepods-pod{systemd}.slice"), UID),
        ] {
            assert_eq!(uid(&path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "",
            "0::/kubepods.slice/kubepods-burstable.slice\n",
            &format!("0::/machine.slice/libpod-{ID}.scope/container\n"),
            &format!("0::/machine.slice/libpod_pod_{ID}.slice\n"),
            "0::/kubepods/pod6f8d0c34-17a2\n",
            "0::/pod",
        ] {
            assert_eq!(uid(path), None, "{path}");
        }
    }

    fn cgroup(uid: &str) -> String {
        format!("0::/kubepods/burstable/pod{uid}/{ID}\n")
    }

    #[test]
    fn by_the_folders_of_logs() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(BY_UID);
        fs::create_dir_all(folder.join(format!("shop_redis-0_{UID}"))).unwrap();
        fs::create_dir_all(folder.join("lost+found")).unwrap();
        let mut pods = Pods::new(root.path());
        assert_eq!(pods.name(&cgroup(UID), ID), "shop/redis-0");
        assert_eq!(pods.name(&cgroup(STATIC), ID), "");
        assert_eq!(pods.name("0::/system.slice/cron.service\n", ""), "");
        // One that starts later.
        fs::create_dir_all(folder.join(format!("kube-system_etcd-node1_{STATIC}"))).unwrap();
        let later = SystemTime::now() + Duration::from_secs(1);
        File::open(&folder).unwrap().set_modified(later).unwrap();
        assert_eq!(pods.name(&cgroup(STATIC), ID), "kube-system/etcd-node1");
    }

    #[test]
    fn by_the_links_to_logs() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(BY_CONTAINER);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("redis-0_shop_redis-main-{ID}.log")), "").unwrap();
        let mut pods = Pods::new(root.path());
        assert_eq!(pods.name(&format!("0::/docker/{ID}\n"), ID), "shop/redis-0");
        assert_eq!(pods.name(&cgroup(UID), ID), "shop/redis-0");
        assert_eq!(pods.name("0::/docker/1\n", ""), "");
    }

    #[test]
    fn by_what_runtimes_were_told() {
        for (folder, file, [namespace, name]) in CONFIGS {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join(folder).join(ID).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut pods = Pods::new(root.path());
            fs::write(&path, "{\"annotations\":").unwrap();
            assert_eq!(pods.name(&cgroup(UID), ID), "");
            let config = serde_json::json!({"annotations": {namespace: "shop", name: "redis-0"}});
            fs::write(&path, config.to_string()).unwrap();
            assert_eq!(pods.name(&cgroup(UID), ID), "shop/redis-0");
            assert_eq!(pods.name(&cgroup(UID), "another"), "");
        }
    }
}
