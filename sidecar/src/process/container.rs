//! Container ids in the names of cgroups.

/// Hexadecimal digits of the ids that container runtimes give.
const ID_DIGITS: usize = 64;

/// The id in the text of /proc/PID/cgroup, of whichever runtime: all of them name the cgroup of a container by its
/// id, with something before or behind it (`docker-ID.scope`, `cri-containerd-ID.scope`, `/docker/ID`,
/// `/kubepods/besteffort/podUID/ID`, `libpod-ID.scope/container`). Of containers in each other, the inner one.
pub(super) fn id(cgroups: &str) -> Option<&str> {
    let is_id = |word: &&str| word.len() == ID_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = |line| str::split(line, |c: char| !c.is_ascii_alphanumeric());
    cgroups.lines().find_map(|line| words(line).rfind(is_id))
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn ids_of_runtimes() {
        let known = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for path in [
            "0::/system.slice/docker-ID.scope\n",
            "12:cpu,cpuacct:/docker/ID\n0::/\n",
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c.slice/cri-containerd-ID.scope\n",
            "0::/machine.slice/libpod-ID.scope/container\n",
            "0::/kubepods/besteffort/pod6f8d0c34-17a2-4f0f-9a3e-52a0a2d7b6a1/ID\n",
        ] {
            assert_eq!(id(&path.replace("ID", known)), Some(known), "{path}");
        }
        assert_eq!(id("0::/user.slice/user-1000.slice/session-3.scope\n"), None);
        assert_eq!(id(""), None);
    }
}
