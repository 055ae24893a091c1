//! Functions of the nodes' scripts, run by bash with stand-ins for what they call: what a node does where a package, a host or
//! a kernel's module is missing. Paths below /etc and /usr/share are below a folder of the test's own.
#![allow(clippy::unwrap_used)]

use hpcctl::{catalog::InstanceCatalog, render::node_files, spec};
use std::{fs, path::PathBuf, process::Command};

const CLUSTER: &str = "
version: 1
name: nodes
region: REGION
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0aaaaaaaaaaaaaaaa
  compute_subnets: [subnet-0bbbbbbbbbbbbbbbb]
head_node: { instance_type: c5.large }
queues:
  - { name: q, default: true, pools: [{ name: od, instance_types: [c5.large], max: 2 }] }
storage:
  - { name: scratch, mount: /fsx, fsx_lustre: { capacity_gib: 1200 } }
  - { name: corp, mount: /corp, efs: {} }
";

/// What the stand-ins are: they write down how they were called.
const STANDINS: &str = r#"
set -Eeuo pipefail
exec 3>>"$ROOT/calls"
for name in apt-get apt-mark dpkg systemctl update-grub mount curl rpm dnf; do
  eval "$name() { echo \"$name \$*\" >&3; [[ \" \${FAILING:-} \" != *\" $name \"* ]]; }"
done
dpkg-query() { return 1; }
mountpoint() { return 1; }
modinfo() { return 1; }
uname() { case $1 in -r) echo "$KERNEL" ;; *) echo x86_64 ;; esac; }
dpkg() { [[ $1 != --print-architecture ]] || { echo amd64; return; }; echo "dpkg $*" >&3; }
apt-cache() {
  case $1 in
  show) grep -qx "$2" "$ROOT/archive" ;;
  pkgnames) grep "^$2" "$ROOT/archive" ;;
  esac
}
sleep() { [[ $1 != infinity ]] || { echo "booting" >&3; exit 0; }; }
"#;

struct Node {
    root: PathBuf,
    scripts: String,
    vars: Vec<(&'static str, String)>,
}

impl Node {
    /// The scripts that the compute nodes of a cluster of this system share.
    fn new(name: &str, os: &str, region: &str) -> Self {
        let text = format!("{}image: {{ os: {os}, slurm_prefix: /opt/slurm }}\n", CLUSTER.replace("REGION", region));
        let cluster = spec::read("cluster.yaml", &text).cluster.unwrap();
        let files = node_files(&cluster, InstanceCatalog::embedded()).unwrap();
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("node-scripts-{name}"));
        fs::remove_dir_all(&root).ok();
        for folder in
            ["etc/hpcctl", "etc/default", "etc/apt/sources.list.d", "etc/systemd/system", "usr/share/keyrings"]
        {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("etc/fstab"), "").unwrap();
        fs::write(root.join("etc/default/grub"), "GRUB_DEFAULT=0\n").unwrap();
        fs::write(root.join("archive"), "").unwrap();
        let scripts =
            ["common.sh", "storage.sh"].map(|file| files[&format!("compute/{file}")].content.clone()).join("\n");
        let scripts = scripts.replace("/etc/", "$ROOT/etc/").replace("/usr/share/", "$ROOT/usr/share/");
        let scripts = scripts.replace("/opt/aws/", "$ROOT/opt/aws/");
        Self {
            root,
            scripts,
            vars: vec![("AWS_DEFAULT_REGION", region.to_owned()), ("KERNEL", "6.8.0-1063-aws".to_owned())],
        }
    }

    fn with(mut self, key: &'static str, value: &str) -> Self {
        self.vars.push((key, value.to_owned()));
        self
    }

    fn archive(self, packages: &[&str]) -> Self {
        fs::write(self.root.join("archive"), packages.join("\n") + "\n").unwrap();
        self
    }

    /// Runs a call: whether it ended well, what it said, and what it called.
    fn run(&self, call: &str) -> (bool, String, String) {
        let script = format!("{}\n{STANDINS}\n{call}\necho went on\n", self.scripts);
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).env("ROOT", &self.root);
        command.envs(self.vars.iter().map(|(key, value)| (*key, value.as_str())));
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.success(), said, self.read("calls"))
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }
}

#[test]
fn a_kernel_without_a_lustre_client_gives_way_to_one_that_has_it() {
    let archive = [
        // The newest module is of a kernel that this system does not have (any more).
        "lustre-client-modules-6.8.0-1061-aws",
        "lustre-client-modules-6.8.0-1057-aws",
        "lustre-client-modules-6.8.0-1009-aws",
        "lustre-client-modules-aws",
        "linux-image-6.8.0-1057-aws",
        "linux-image-6.8.0-1063-aws",
    ];
    let node = Node::new("kernel", "ubuntu2404", "eu-west-1").archive(&archive);
    let (good, said, calls) = node.run("install_lustre");
    assert!(good && said.contains("booting 6.8.0-1057-aws") && !said.contains("went on"), "{said}\n{calls}");
    assert!(calls.contains("linux-image-6.8.0-1057-aws lustre-client-modules-6.8.0-1057-aws"), "{calls}");
    assert!(calls.contains("update-grub") && calls.contains("systemctl reboot\nbooting"), "{calls}");
    assert!(node.read("etc/default/grub").contains("with Linux 6.8.0-1057-aws\""));
    assert!(node.read("etc/systemd/system/hpcctl-set-up.service").contains("setup.sh start\n"));
    // It is not booted twice for the same, and a head node that runs is not booted at all.
    for again in ["install_lustre", "rm -f $ROOT/etc/hpcctl/kernel; mode=update; install_lustre"] {
        let (good, said, _) = node.run(again);
        assert!(
            !good && said.contains("no package lustre-client-modules-6.8.0-1063-aws: boot 6.8.0-1057-aws"),
            "{said}"
        );
    }
}

#[test]
fn a_kernel_with_a_lustre_client_is_held() {
    let node = Node::new("held", "ubuntu2404", "eu-west-1").archive(&["lustre-client-modules-6.8.0-1063-aws"]);
    let (good, said, calls) = node.run("install_lustre");
    assert!(good && said.contains("went on"), "{said}");
    assert!(calls.contains("apt-mark hold linux-aws") && calls.contains("linux-image-6.8.0-1063-aws"), "{calls}");
    let (good, said, _) = Node::new("none", "ubuntu2404", "eu-west-1").run("install_lustre");
    assert!(
        !good && said.contains("lustre-client-modules-6.8.0-1063-aws, nor one for another kernel: name an image"),
        "{said}"
    );
}

#[test]
fn efs_goes_through_tls_or_not_at_all() {
    let node = Node::new("efs", "ubuntu2404", "eu-west-1");
    let (good, said, calls) =
        node.run("stunnel() { :; }; mount_efs corp $ROOT/corp 20490 fs-0aaaabbbbccccdddd; cat $ROOT/etc/fstab");
    assert!(good && calls.contains("systemctl restart hpcctl-efs-corp"), "{said}\n{calls}");
    assert!(
        said.contains("127.0.0.1:/") && said.contains(",port=20490,x-systemd.requires=hpcctl-efs-corp.service"),
        "{said}"
    );
    let conf = node.read("etc/hpcctl/efs-corp.conf");
    for line in [
        "client = yes",
        "verifyChain = yes",
        "accept = 127.0.0.1:20490",
        "connect = fs-0aaaabbbbccccdddd.efs.eu-west-1.amazonaws.com:2049",
        "checkHost = fs-0aaaabbbbccccdddd.efs.eu-west-1.amazonaws.com",
    ] {
        assert!(conf.lines().any(|one| one == line), "{line}:\n{conf}");
    }
    // Neither the mount helper nor stunnel: the node fails, it does not fall back to clear text.
    let node = Node::new("efs-none", "debian12", "eu-west-1");
    let without =
        "command() { [[ $2 != stunnel ]] && builtin command \"$@\"; }; install_packages() { [[ $* != *stunnel* ]]; }";
    let (good, said, calls) = node.run(&format!("{without}; mount_efs corp $ROOT/corp 20490 fs-0aaaabbbbccccdddd"));
    assert!(!good && said.contains("cannot be encrypted in transit") && !said.contains("went on"), "{said}\n{calls}");
    assert!(!calls.contains("mount ") && node.read("etc/fstab").is_empty(), "{calls}");
    // Who asks for it gets it in clear.
    let node = Node::new("efs-clear", "debian12", "eu-west-1");
    let (good, said, _) = node.run("mount_efs corp $ROOT/corp clear fs-0aaaabbbbccccdddd; cat $ROOT/etc/fstab");
    assert!(good && said.contains("fs-0aaaabbbbccccdddd.efs.eu-west-1.amazonaws.com:/"), "{said}");
}

#[test]
fn agents_that_cannot_be_fetched_do_not_end_the_set_up() {
    for os in ["ubuntu2404", "rocky9"] {
        let node = Node::new(&format!("agents-{os}"), os, "cn-north-1").with("FAILING", "curl systemctl");
        let (good, said, calls) = node.run("setup_session_manager; setup_logs");
        assert!(good && said.contains("went on"), "{said}");
        assert!(
            said.contains("cannot install the CloudWatch agent") && said.contains("cannot install the Session"),
            "{said}"
        );
        let logs = "https://amazoncloudwatch-agent-cn-north-1.s3.cn-north-1.amazonaws.com.cn/";
        assert!(
            calls.contains(logs) && calls.contains("https://s3.cn-north-1.amazonaws.com.cn/amazon-ssm-cn-north-1/"),
            "{calls}"
        );
    }
}

#[test]
fn the_session_agent_is_installed_where_the_image_has_none() {
    let missing = "systemctl() { echo \"systemctl $*\" >&3; [[ $1 != cat ]]; }; setup_session_manager";
    let node = Node::new("agent", "debian12", "eu-west-1");
    let (good, said, calls) = node.run(missing);
    assert!(good, "{said}");
    assert!(
        calls.contains(
            "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/latest/debian_amd64/amazon-ssm-agent.deb"
        )
    );
    assert!(calls.contains("dpkg -i ") && calls.contains("systemctl enable -q --now amazon-ssm-agent"), "{calls}");
    let (_, _, calls) = Node::new("agent-there", "ubuntu2404", "eu-west-1").run("setup_session_manager");
    assert!(!calls.contains("curl"), "{calls}");
}

#[test]
fn only_what_has_an_endpoint_goes_past_the_proxy() {
    let direct = |network: &str| {
        let text = CLUSTER.replace("REGION", "eu-west-1");
        let (before, rest) = text.split_once("network:").unwrap();
        let (_, after) = rest.split_once("head_node:").unwrap();
        let text = format!("{before}network: {network}\nhead_node:{after}");
        hpcctl::model::names::no_proxy(&spec::read("cluster.yaml", &text).cluster.unwrap())
    };
    let own = "vpc_id: vpc-0a1b2c3d4e5f67890, compute_subnets: [subnet-0bbbbbbbbbbbbbbbb]";
    let meta = "169.254.169.254,localhost,127.0.0.1";
    assert_eq!(direct(&format!("{{ {own} }}")), meta);
    assert_eq!(
        direct(&format!("{{ {own}, no_proxy: [.ec2.eu-west-1.amazonaws.com] }}")),
        format!("{meta},.ec2.eu-west-1.amazonaws.com")
    );
    let s3 = format!("{meta},s3.eu-west-1.amazonaws.com,.s3.eu-west-1.amazonaws.com");
    assert_eq!(direct("{ create: {} }"), s3);
    for role in ["head", "compute", "login"] {
        let text = fs::read_to_string(format!("templates/user-data/{role}.sh")).unwrap();
        assert!(text.contains("no_proxy='@@NO_PROXY@@'") && !text.contains(",.amazonaws.com"), "{role}");
    }
}

/// The rendered programs that deal with checkpoints, with the directory `directory` in the place of the file's.
fn checkpoint_program(name: &str, root: &std::path::Path, directory: &std::path::Path) -> PathBuf {
    let text = fs::read_to_string("examples/clusters/spot-checkpoint.yaml").unwrap();
    let cluster = spec::read("cluster.yaml", &text).cluster.unwrap();
    let files = node_files(&cluster, InstanceCatalog::embedded()).unwrap();
    let (_, file) = files.iter().find(|(path, _)| path.ends_with(&format!("libexec/{name}"))).unwrap();
    let named = text.split("directory: ").nth(1).unwrap().split([',', ' ', '\n', '}']).next().unwrap();
    assert!(file.content.contains(named), "{name} does not name {named}");
    let program = root.join(name);
    let content = file.content.replace(named, &directory.display().to_string());
    let content = content.replace("export PATH=", &format!("export PATH={}:", root.display()));
    fs::write(&program, content).unwrap();
    program
}

/// Whoever may write where checkpoints are could put a link there: root follows none.
#[test]
fn root_follows_no_link_among_checkpoints() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("node-scripts-checkpoints");
    fs::remove_dir_all(&root).ok();
    let (directory, victim) = (root.join("ck"), root.join("victim"));
    fs::create_dir_all(&victim).unwrap();
    fs::write(victim.join("precious"), "").unwrap();
    fs::write(root.join("scontrol"), "#!/bin/bash\necho \"JobId=$4 JobState=COMPLETED\"\n").unwrap();
    fs::write(root.join("sacct"), "#!/bin/bash\necho COMPLETED\n").unwrap();
    for name in ["scontrol", "sacct"] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let (prolog, clean) =
        (checkpoint_program("prolog", &root, &directory), checkpoint_program("clean-checkpoints", &root, &directory));
    let node = {
        let text = fs::read_to_string(&prolog).unwrap();
        let prefix = text.split("SLURMD_NODENAME:-} =~ ^").nth(1).unwrap().split('[').next().unwrap();
        format!("{prefix}1")
    };
    let run_prolog = |job: &str| {
        let mut command = Command::new("bash");
        command.arg(&prolog).env("SLURM_JOB_ID", job).env("SLURM_JOB_UID", "12345").env("SLURMD_NODENAME", &node);
        command.output().unwrap()
    };
    // A directory of root's: the job gets its own.
    assert!(run_prolog("7").status.success());
    let made = fs::metadata(directory.join("7")).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o777), (12345, 0o700));
    // It is there already, as after a requeue.
    assert!(run_prolog("7").status.success());
    // Others may write there.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(&victim, directory.join("8")).unwrap();
    let said = run_prolog("8");
    assert!(said.status.success(), "a job is not to drain the node");
    assert!(String::from_utf8_lossy(&said.stderr).contains("belongs to others than root"));
    assert_eq!(fs::metadata(&victim).unwrap().uid(), 0);
    let said = Command::new("bash").arg(&clean).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(victim.join("precious").exists() && directory.join("7").exists());
    // With the sticky bit nobody takes another's place: a new job gets its directory, what is there stays as it is.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o1777)).unwrap();
    fs::write(directory.join("10"), "").unwrap();
    for job in ["8", "9", "10"] {
        assert!(run_prolog(job).status.success(), "a user is not to drain nodes: {job}");
    }
    assert_eq!(fs::metadata(directory.join("9")).unwrap().uid(), 12345);
    assert_eq!((fs::metadata(&victim).unwrap().uid(), fs::metadata(directory.join("10")).unwrap().uid()), (0, 0));
    let said = Command::new("bash").arg(&clean).output().unwrap();
    assert!(said.status.success() && victim.join("precious").exists(), "{said:?}");
    assert!(!directory.join("9").exists() && directory.join("8").is_symlink(), "{said:?}");
    assert!(run_prolog("7").status.success());
    // Of root's again: what is a link stays, what is a job's goes.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let said = Command::new("bash").arg(&clean).output().unwrap();
    assert!(said.status.success() && victim.join("precious").exists(), "{said:?}");
    assert!(!directory.join("7").exists(), "{said:?}");
}

/// A login node that came too early, or while one head node follows another, sets itself up again. A script of the user's own
/// that failed is not run twice; and in the end there is an end.
#[test]
fn a_login_node_that_is_too_early_tries_again() {
    let login = "login_nodes: [{ name: in, instance_type: c5.large, count: 1, ssh_from: [203.0.113.0/24] }]\n";
    let text = format!("{}image: {{ os: ubuntu2404 }}\n{login}", CLUSTER.replace("REGION", "eu-west-1"));
    let cluster = spec::read("cluster.yaml", &text).cluster.unwrap();
    let files = node_files(&cluster, InstanceCatalog::embedded()).unwrap();
    let setup = &files["login/setup.sh"].content;
    let (from, to) = (setup.find("failed() {").unwrap(), setup.find("\n# configure_slurm DIRECTORY").unwrap());
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("node-scripts-login");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("setup.sh"), "echo \"again $AGAIN $1\"\n").unwrap();
    let run = |times: &str, what: &str| {
        let script = format!("log() {{ echo \"$*\"; }}\nsleep() {{ :; }}\n{}\n{what}\n", &setup[from..to]);
        let mut command = Command::new("bash");
        command.args(["-Eeuo", "pipefail", "-c", &script]).current_dir(&root).env("AGAIN", times);
        let done = command.output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    for what in ["die 'cannot mount /home'", "head=$(false)"] {
        let (good, said) = run("3", what);
        assert!(good && said.ends_with("again 4 start\n") && !said.contains("failed"), "{said}");
        let (good, said) = run("15", what);
        assert!(!good && said.starts_with("set-up failed: ") && !said.contains("again"), "{said}");
    }
    let (good, said) = run("0", "failed 'script.sh ended with 1'");
    assert!(!good && said == "set-up failed: script.sh ended with 1\n", "{said}");
}
