//! The two processes inside the sandbox; see [`super::namespaces`].
//!
//! Both are this very binary under hidden names. They are single-threaded, which user namespaces
//! demand, and they never return to the command line's code.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, chdir, getgid, getuid, pivot_root, setsid};
use serde::{Deserialize, Serialize};

use super::{Job, Network};

/// The hidden first argument of the process that makes the namespaces.
pub(crate) const ENTER: &str = "__sandbox-enter";
/// The hidden first argument of process 1 inside.
pub(crate) const INIT: &str = "__sandbox-init";

/// Exit code of a helper that failed before the command ran.
const BROKEN: i32 = 125;

/// What process 1 tells the lab.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The command's exit code; `None` when a signal ended it.
    pub(super) code: Option<i32>,
    /// Sealed files that were not as they must be.
    pub(super) broken_seals: Vec<String>,
}

/// Runs a helper if the arguments ask for one; never returns then.
pub fn run_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(name), Some(spec)) = (arguments.next(), arguments.next()) else { return };
    let outcome = if name == ENTER {
        enter(Path::new(&spec))
    } else if name == INIT {
        init(Path::new(&spec))
    } else if name == super::relay::RELAY {
        super::relay::serve(Path::new(&spec))
    } else {
        return;
    };
    match outcome {
        Ok(code) => std::process::exit(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            std::process::exit(BROKEN);
        }
    }
}

fn read_job(spec: &Path) -> anyhow::Result<Job> {
    let bytes = fs::read(spec).with_context(|| format!("failed to read the job {}", spec.display()))?;
    serde_json::from_slice(&bytes).context("the job is not readable")
}

/// Makes the namespaces, then waits for process 1.
fn enter(spec: &Path) -> anyhow::Result<i32> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context("failed to tie the sandbox to failfirst")?;
    let job = read_job(spec)?;
    let (uid, gid) = (getuid(), getgid());
    let mut flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    if job.network == Network::Loopback {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    // Root needs no user namespace, and in one it could not own the files of other users.
    if !uid.is_root() {
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    unshare(flags).with_context(|| {
        "the kernel does not allow namespaces to this user; as root, or after \
         `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu), it does"
    })?;
    if !uid.is_root() {
        fs::write("/proc/self/setgroups", "deny").context("failed to deny setgroups")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).context("failed to map the user")?;
        fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).context("failed to map the group")?;
    }
    if !uid.is_root() {
        keep_rights_over_exec().context("failed to keep the rights inside the user namespace")?;
    }
    let mut child =
        Command::new("/proc/self/exe").arg(INIT).arg(spec).spawn().context("failed to start process 1")?;
    let status = child.wait().context("failed to wait for process 1")?;
    Ok(status.code().unwrap_or(BROKEN))
}

/// A user who is not root loses the namespace's capabilities when a program is started; process 1
/// needs them for its mounts, and gives them up itself.
fn keep_rights_over_exec() -> Result<(), caps::errors::CapsError> {
    let own = caps::read(None, caps::CapSet::Permitted)?;
    caps::set(None, caps::CapSet::Inheritable, &own)?;
    caps::set(None, caps::CapSet::Ambient, &own)
}

/// Process 1: arranges the file systems, runs the command, reaps what is left behind.
fn init(spec: &Path) -> anyhow::Result<i32> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context("failed to tie the sandbox to its parent")?;
    // Code under test runs as the same user: it must not read this process's memory.
    nix::sys::prctl::set_dumpable(false).context("failed to make process 1 unreadable")?;
    setsid().context("failed to leave the terminal")?;
    let job = read_job(spec)?;
    let result = fs::File::create(job.layer.join("result.json")).context("failed to open the result")?;
    if job.network == Network::Loopback {
        loopback_up().context("failed to raise the loopback interface")?;
    }
    arrange(&job)?;
    let mut broken_seals = super::check_seals(&job.root, &job.sealed, "before the run");
    let mut code = Some(0);
    if let Some((program, arguments)) = job.argv.split_first() {
        give_up_rights()?;
        // Only in a network of its own: on the machine's the gateway has this port itself.
        if let Some(relay) = job.relay.as_ref().filter(|_| job.network == Network::Loopback) {
            super::relay::start(relay)?;
        }
        let mut command = Command::new(resolve(program, &job));
        command.args(arguments).env_clear().envs(&job.env).current_dir(job.root.join(&job.cwd)).arg0(program);
        code = run(command, program)?;
        broken_seals.extend(super::check_seals(&job.root, &job.sealed, "after the run"));
    }
    serde_json::to_writer(&result, &Answer { code, broken_seals }).context("failed to write the result")?;
    Ok(0)
}

/// A relative program path means the variant's, whatever the working folder.
fn resolve(program: &str, job: &Job) -> PathBuf {
    let path = Path::new(program);
    if path.is_absolute() || !program.contains('/') {
        if !program.contains('/') {
            // `Command` would search the PATH of this process, which is empty.
            let folders = job.env.get("PATH").map(String::as_str).unwrap_or("/usr/bin:/bin");
            if let Some(found) =
                std::env::split_paths(folders).map(|dir| dir.join(program)).find(|file| file.is_file())
            {
                return found;
            }
        }
        return path.to_owned();
    }
    let beside = job.root.join(&job.cwd).join(path);
    if beside.exists() { beside } else { job.root.join(path) }
}

fn run(mut command: Command, program: &str) -> anyhow::Result<Option<i32>> {
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // A shell's answers, so that adapters see the same as from a script.
            let _ = writeln!(std::io::stderr(), "failed to start {program}: {error}");
            return Ok(Some(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }));
        }
    };
    let main = Pid::from_raw(i32::try_from(child.id()).context("process number")?);
    let code = loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == main => break Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => {
                let _ = writeln!(std::io::stderr(), "[failfirst: the command was ended by {signal}]");
                break None;
            }
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => bail!("failed to wait for the command: {error}"),
        }
    };
    // Nothing that the command left running may change files after the seals are checked.
    let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    while !matches!(waitpid(None, Some(WaitPidFlag::empty())), Err(nix::Error::ECHILD)) {}
    let _ = std::process::ExitStatus::from_raw(0);
    Ok(code)
}

const NONE: Option<&str> = None;

fn arrange(job: &Job) -> anyhow::Result<()> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)
        .context("failed to make mounts private")?;
    let new = job.layer.join("mount");
    let inside = |path: &Path| new.join(path.strip_prefix("/").unwrap_or(path));
    mount(Some("/"), &new, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)
        .context("failed to bind the machine")?;
    make_read_only(&new)?;
    bind(&job.tmp, &inside(Path::new("/tmp")))?;
    if Path::new("/var/tmp").is_dir() {
        bind(&job.tmp, &inside(Path::new("/var/tmp")))?;
    }
    for folder in &job.hidden {
        hide(&inside(folder));
    }
    for folder in job.shared.iter().chain(&job.visible) {
        let at = inside(folder);
        if !at.is_dir() {
            fs::create_dir_all(&at).with_context(|| format!("failed to make {}", at.display()))?;
        }
        bind(folder, &at)?;
        if job.visible.contains(folder) {
            remount_read_only(&at, MsFlags::MS_NOSUID | MsFlags::MS_NODEV)?;
        }
    }
    overlay(&job.lower, &job.layer.join("upper"), &job.layer.join("work"), &inside(&job.root))
        .context("failed to mount the overlay over the project")?;
    for (name, cache) in &job.caches {
        let part = |part: &str| job.layer.join(format!("cache-{name}-{part}"));
        if cache.is_dir() {
            // What the variant's build wrote to the cache lies beside the layer that it made.
            let layers = &job.lower[..job.lower.len().saturating_sub(1)];
            let beside =
                layers.iter().filter_map(|layer| Some(layer.parent()?.join(format!("cache-{name}-upper"))));
            let mut lower: Vec<PathBuf> = beside.filter(|folder| folder.is_dir()).collect();
            lower.push(cache.clone());
            overlay(&lower, &part("upper"), &part("work"), &inside(cache))
                .with_context(|| format!("failed to mount an overlay over {}", cache.display()))?;
        }
    }
    devices(&inside(Path::new("/dev")))?;
    let proc = inside(Path::new("/proc"));
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &proc, Some("proc"), safe, NONE).context("failed to mount /proc")?;
    for part in ["sys", "sysrq-trigger", "irq", "bus", "fs"] {
        let part = proc.join(part);
        if part.exists() && bind(&part, &part).is_ok() {
            remount_read_only(&part, MsFlags::empty())?;
        }
    }
    // The files come from the scratch folder, which is out of sight afterwards.
    super::apply(&inside(&job.root), &job.steps).context("failed to lay out the variant")?;
    chdir(&new).context("failed to enter the new root")?;
    pivot_root(".", ".").context("failed to change the root")?;
    umount2(".", MntFlags::MNT_DETACH).context("failed to leave the old root")?;
    chdir("/").context("failed to enter the new root")?;
    Ok(())
}

fn bind(from: &Path, to: &Path) -> anyhow::Result<()> {
    mount(Some(from), to, NONE, MsFlags::MS_BIND, NONE)
        .with_context(|| format!("failed to bind {} to {}", from.display(), to.display()))
}

fn overlay(lower: &[PathBuf], upper: &Path, work: &Path, at: &Path) -> anyhow::Result<()> {
    // The project may lie below a folder that was just replaced by an empty one.
    if !at.is_dir() {
        fs::create_dir_all(at).with_context(|| format!("failed to make {}", at.display()))?;
    }
    let escape =
        |path: &Path| path.to_string_lossy().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,");
    let lower = lower.iter().map(|path| escape(path)).collect::<Vec<_>>().join(":");
    let mut options = format!("lowerdir={lower},upperdir={},workdir={}", escape(upper), escape(work));
    if !getuid().is_root() {
        options.push_str(",userxattr");
    }
    mount(
        Some("overlay"),
        at,
        Some("overlay"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        Some(options.as_str()),
    )?;
    Ok(())
}

/// Makes every mount at and below `top` read-only. Flags that the machine's administrator set are
/// kept: in a user namespace they cannot be dropped.
fn make_read_only(top: &Path) -> anyhow::Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("failed to read the mount table")?;
    let mut places = BTreeSet::new();
    for line in table.lines() {
        let mut fields = line.split(' ').skip(4);
        let (Some(place), Some(options)) = (fields.next(), fields.next()) else { continue };
        let place = PathBuf::from(unescape(place));
        if place.starts_with(top) {
            let mut flags = MsFlags::empty();
            for option in options.split(',') {
                flags |= match option {
                    "nosuid" => MsFlags::MS_NOSUID,
                    "nodev" => MsFlags::MS_NODEV,
                    "noexec" => MsFlags::MS_NOEXEC,
                    "noatime" => MsFlags::MS_NOATIME,
                    "relatime" => MsFlags::MS_RELATIME,
                    "nodiratime" => MsFlags::MS_NODIRATIME,
                    _ => MsFlags::empty(),
                };
            }
            places.insert((place, flags.bits()));
        }
    }
    for (place, flags) in places {
        let flags = MsFlags::from_bits_truncate(flags);
        let outcome = remount_read_only(&place, flags);
        // What is mounted over can no longer be reached by its path, from inside neither.
        if outcome.is_err() && place == top {
            return outcome;
        }
        if outcome.is_err() && fs::symlink_metadata(&place).is_ok() {
            hide(&place);
        }
    }
    Ok(())
}

fn remount_read_only(place: &Path, flags: MsFlags) -> anyhow::Result<()> {
    let flags = flags | MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(NONE, place, NONE, flags, NONE)
        .with_context(|| format!("failed to make {} read-only", place.display()))
}

fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// Covers a folder with an empty one, a file with nothing; what cannot be covered does not exist.
fn hide(place: &Path) {
    let Ok(meta) = fs::metadata(place) else { return };
    if meta.is_dir() {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        let _ = mount(Some("tmpfs"), place, Some("tmpfs"), flags, Some("mode=755,size=64k"));
    } else {
        let _ = mount(Some("/dev/null"), place, NONE, MsFlags::MS_BIND, NONE);
    }
}

/// A `/dev` with nothing in it that reaches a disk or a terminal.
fn devices(at: &Path) -> anyhow::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some("mode=755,size=1m"))
        .context("failed to mount /dev")?;
    for name in ["null", "zero", "full", "random", "urandom"] {
        fs::File::create(at.join(name))?;
        bind(&Path::new("/dev").join(name), &at.join(name))?;
    }
    fs::create_dir(at.join("shm"))?;
    mount(
        Some("tmpfs"),
        &at.join("shm"),
        Some("tmpfs"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        Some("mode=1777"),
    )
    .context("failed to mount /dev/shm")?;
    fs::create_dir(at.join("pts"))?;
    let pts = mount(
        Some("devpts"),
        &at.join("pts"),
        Some("devpts"),
        flags,
        Some("newinstance,ptmxmode=0666,mode=620"),
    );
    if pts.is_ok() {
        std::os::unix::fs::symlink("pts/ptmx", at.join("ptmx"))?;
    }
    for (name, target) in [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")]
    {
        std::os::unix::fs::symlink(target, at.join(name))?;
    }
    Ok(())
}

/// Drops every capability for the command to come and forbids regaining any.
fn give_up_rights() -> anyhow::Result<()> {
    nix::sys::prctl::set_no_new_privs().context("failed to forbid new privileges")?;
    for capability in caps::all() {
        // Kernels older than a capability do not know it.
        let _ = caps::drop(None, caps::CapSet::Bounding, capability);
    }
    let left = caps::read(None, caps::CapSet::Bounding).context("failed to read the capabilities")?;
    if !left.is_empty() {
        bail!("capabilities could not be dropped: {left:?}");
    }
    caps::clear(None, caps::CapSet::Ambient).context("failed to drop capabilities")?;
    caps::clear(None, caps::CapSet::Inheritable).context("failed to drop capabilities")?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).context("failed to forbid core dumps")?;
    // The environment of failfirst itself is empty here, but its file descriptors are not ours to lend.
    const LARGEST_FILE: u64 = 8 << 30;
    setrlimit(Resource::RLIMIT_FSIZE, LARGEST_FILE, LARGEST_FILE).context("failed to limit file sizes")?;
    Ok(())
}

/// A network namespace starts with its loopback interface down.
#[expect(unsafe_code, reason = "no safe wrapper exists for SIOCSIFFLAGS")]
fn loopback_up() -> anyhow::Result<()> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    use std::os::fd::AsRawFd;
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: an all-zero `ifreq` is a valid value of this plain C structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo\0") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the descriptor is open and the request outlives the call.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if answer != 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(())
}
