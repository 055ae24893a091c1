//! Node files of the example clusters: what every one of them must hold, and keys of the cluster file that must
//! show up in them. With `HPCCTL_NODE_FILES_OUT` set, the files of each cluster are written there, for the judges
//! of `tests/node-files` (shellcheck and slurmctld itself).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use hpcctl::{
    catalog::InstanceCatalog,
    render::{NodeFile, files::NodeConfig, node_files},
    spec::{self, Cluster},
};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

type Files = BTreeMap<String, NodeFile>;

fn read(text: &str) -> Cluster {
    let document = spec::read("cluster.yaml", text);
    assert_eq!(document.problems, [], "{text}");
    document.cluster.expect("a cluster")
}

fn render(cluster: &Cluster) -> Files {
    node_files(cluster, InstanceCatalog::embedded()).unwrap()
}

/// The example clusters by name, and one for each operating system.
fn clusters() -> Vec<(String, Cluster)> {
    let mut all = Vec::new();
    for entry in fs::read_dir("examples/clusters").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        all.push((name, read(&fs::read_to_string(&path).unwrap())));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    // For slurmctld of Debian 12 and of Debian 13 in tests/node-files: every example once more for each.
    for (name, cluster) in all.clone() {
        for (system, os) in [("debian12", spec::Os::Debian12), ("ubuntu2404", spec::Os::Ubuntu2404)] {
            let image = spec::Image { os, ..spec::Image::default() };
            all.push((format!("{name}-{system}"), Cluster { image, ..cluster.clone() }));
        }
    }
    for os in ["ubuntu2404", "ubuntu2204", "debian12", "alinux2023", "rocky9", "rhel9"] {
        let packaged = ["ubuntu2404", "ubuntu2204", "debian12"].contains(&os);
        let prefix = if packaged { "" } else { ", slurm_prefix: /opt/slurm" };
        let image = format!("image: {{ os: {os}{prefix} }}");
        all.push((format!("os-{os}"), read(&full(&image))));
    }
    all
}

/// A cluster that uses what node files depend on.
fn full(more: &str) -> String {
    format!(
        r#"
version: 1
name: full
region: eu-west-1
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0aaaaaaaaaaaaaaaa
  compute_subnets: [subnet-0bbbbbbbbbbbbbbbb]
  subnet_zones: [{{ subnet: subnet-0bbbbbbbbbbbbbbbb, zone: eu-west-1b }}]
head_node:
  instance_type: c5.xlarge
  dcv: {{ port: 8445 }}
  custom_actions:
    on_configured: [{{ script: s3://tools/site.sh, args: ["it's", "--role=head"] }}]
    on_updated: [{{ script: s3://tools/reload.sh }}]
login_nodes:
  - {{ name: login, instance_type: c5.large, dcv: {{}} }}
queues:
  - name: cfd
    default: true
    efa: true
    hyperthreading: false
    exclusive: true
    max_time: "2-00:00:00"
    priority_tier: 50
    licenses: [starccm, fluent]
    local_scratch: /scratch
    idle_seconds: 900
    partition_options: {{ TRESBillingWeights: "CPU=1.0,Mem=0.25G" }}
    custom_actions:
      on_start: [{{ script: s3://tools/mirror.sh }}]
    pools:
      - {{ name: od, instance_types: [c5n.18xlarge], min: 2, max: 20, features: [icelake] }}
      - name: spot
        purchase: spot
        instance_types: [c5n.18xlarge, c6i.32xlarge]
        max: 100
        on_interruption: checkpoint
        checkpoint: {{ command: /opt/save, directory: /fsx/checkpoints, interval_minutes: 30 }}
        node_options: {{ MemSpecLimit: "2048" }}
  - name: gpu
    preempt_mode: requeue
    gpu_health_check: true
    pools:
      - {{ name: a100, instance_types: [p4d.24xlarge], max: 2 }}
      - {{ name: any, instance_types: [g4dn.xlarge, g5.xlarge], max: 1, weight: 7 }}
storage:
  - {{ name: scratch, mount: /fsx, fsx_lustre: {{ capacity_gib: 1200 }} }}
  - {{ name: site, mount: /site, fsx_lustre: {{ file_system_id: fs-0aaaabbbbccccdddd, mount_name: abcdefgh }} }}
  - {{ name: corp, mount: /corp, efs: {{}} }}
  - {{ name: apps, mount: /apps, ebs: {{ size_gib: 50 }} }}
accounting:
  rds: {{ instance_class: db.t4g.medium }}
  purge_after_months: 12
slurm:
  idle_seconds: 300
  licenses: [{{ name: starccm, count: 10 }}, {{ name: fluent, count: 4 }}]
  options: {{ SlurmdTimeout: "400", SlurmctldParameters: "power_save_interval=30", DebugFlags: NO_CONF_HASH }}
{more}
"#
    )
}

#[test]
fn every_example_renders_alike_twice_and_leaves_nothing_open() {
    for (name, cluster) in clusters() {
        let files = render(&cluster);
        assert_eq!(files, render(&cluster), "{name}");
        for (path, file) in &files {
            let text = &file.content;
            for open in ["{{", "{%", "{/*", "undefined", "@@CLUSTER", "=None", "=True", "=False"] {
                assert!(!text.contains(open), "{name}: {path} holds {open:?}");
            }
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}: the end of {path}");
            assert!(!text.contains("\n\n\n"), "{name}: a gap in {path}");
            assert_eq!(file.mode == 0o755, text.starts_with("#!"), "{name}: mode of {path}");
            assert!(text.lines().all(|line| !line.ends_with(' ')), "{name}: spaces at a line's end in {path}");
        }
        write_out(&name, &files);
    }
}

/// Writes the files for the judges outside this program.
fn write_out(name: &str, files: &Files) {
    let Some(out) = std::env::var_os("HPCCTL_NODE_FILES_OUT") else { return };
    for (path, file) in files {
        let to = Path::new(&out).join(name).join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&to, &file.content).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(file.mode)).unwrap();
    }
}

#[test]
fn no_secret_is_in_any_file() {
    let files = render(&read(&full("")));
    let database = &files["head/slurmdbd.conf"];
    assert!(database.content.contains("StoragePass=@@DB_PASSWORD@@\n"));
    assert_eq!(database.mode, 0o600);
    for (path, file) in &files {
        let traced = file.content.lines().any(|line| line.trim_start().starts_with("set -x"));
        assert!(!traced, "{path} would log what it reads");
    }
}

#[test]
fn queues_and_pools_show_up_in_slurm_conf() {
    let files = render(&read(&full("image: { os: debian12 }")));
    let main = &files["head/slurm.conf"].content;
    for line in [
        "ClusterName=full",
        "SlurmctldHost=@@HEAD_HOSTNAME@@(@@HEAD_ADDRESS@@)",
        "Include slurm-queue-cfd.conf",
        "SuspendExcNodes=cfd-od-[1-2]",
        "SuspendTime=300",
        "SelectTypeParameters=CR_CPU_Memory",
        "Licenses=starccm:10,fluent:4",
        "JobSubmitPlugins=lua",
        "GresTypes=gpu",
        "PreemptType=preempt/partition_prio",
        "AccountingStorageTRES=gres/gpu,license/starccm,license/fluent",
        "# SlurmdTimeout=180  (slurm.options has another)",
        "SlurmdTimeout=400",
        "SlurmctldParameters=enable_configless,idle_on_node_suspend,power_save_interval=30",
        "TreeWidth=65533",
    ] {
        assert!(main.lines().any(|it| it == line), "slurm.conf lacks `{line}`:\n{main}");
    }
    let cfd = &files["head/slurm-queue-cfd.conf"].content;
    for line in [
        "NodeName=cfd-od-[1-20] CPUs=36 Boards=1 SocketsPerBoard=1 CoresPerSocket=36 ThreadsPerCore=1 RealMemory=186777 \
         Feature=ondemand,c5n.18xlarge,eu-west-1b,icelake Weight=10 State=CLOUD",
        "NodeName=cfd-spot-[1-100] CPUs=36 Boards=1 SocketsPerBoard=1 CoresPerSocket=36 ThreadsPerCore=1 \
         RealMemory=186777 Feature=spot,eu-west-1b Weight=20 State=CLOUD MemSpecLimit=2048",
        "NodeSet=cfd-spot Nodes=cfd-spot-[1-100]",
        "PartitionName=cfd Nodes=cfd-od,cfd-spot Default=YES State=UP MaxTime=2-00:00:00 OverSubscribe=EXCLUSIVE \
         PriorityTier=50 PreemptMode=OFF DefMemPerCPU=5188 SuspendTime=900 TRESBillingWeights=CPU=1.0,Mem=0.25G",
    ] {
        assert!(cfd.lines().any(|it| it == line), "the queue lacks `{line}`:\n{cfd}");
    }
    let gpu = &files["head/slurm-queue-gpu.conf"].content;
    assert!(gpu.contains(" Gres=gpu:a100:8 ") && gpu.contains(" Gres=gpu:1 ") && gpu.contains(" Weight=7 "), "{gpu}");
    assert!(gpu.contains("NodeName=gpu-any-1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=2 "));
    let gres = &files["head/gres.conf"].content;
    assert!(gres.contains("NodeName=gpu-a100-[1-2] Name=gpu Type=a100 File=/dev/nvidia[0-7]\n"), "{gres}");
    assert_eq!(files["login/slurm.conf"], files["head/slurm.conf"]);
}

#[test]
fn options_wait_for_the_slurm_that_knows_them() {
    let main = |os: &str| render(&read(&full(&format!("image: {{ os: {os} }}"))))["head/slurm.conf"].content.clone();
    let old = main("ubuntu2204");
    assert!(
        old.contains("ProctrackType=proctrack/linuxproc\n") && old.contains("JobAcctGatherParams=OverMemoryKill\n")
    );
    assert!(
        old.contains("\nPartitionName=cfd ") && !old.contains("Include ") && !old.contains(" SuspendTime="),
        "{old}"
    );
    let new = main("ubuntu2404");
    assert!(new.contains("ProctrackType=proctrack/cgroup\n") && !new.contains("TreeWidth="));
}

/// The line of an option in a cluster's slurm.conf.
fn option(files: &Files, key: &str) -> Option<String> {
    let mut lines = files["head/slurm.conf"].content.lines();
    lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned)
}

#[test]
fn slurm_has_nothing_to_complain_of() {
    // ND-04: 23.11 and later call NoAddrCache defunct, 24.11 wants five times MessageTimeout.
    let of = |image: &str, key: &str| option(&render(&read(&full(&format!("image: {image}")))), key);
    assert_eq!(of("{ os: debian12 }", "CommunicationParameters").as_deref(), Some("NoAddrCache"));
    assert_eq!(of("{ os: ubuntu2204 }", "CommunicationParameters").as_deref(), Some("NoAddrCache"));
    assert_eq!(of("{ os: ubuntu2404 }", "CommunicationParameters"), None);
    assert_eq!(of("{ os: rocky9, slurm_prefix: /opt/slurm }", "CommunicationParameters"), None);
    // 24.11 says, of some nodes, that it cannot read its number; from 22.05 on 90 is what cloud nodes have by themselves.
    let controller = |image: &str| of(image, "SlurmctldParameters").unwrap().contains("node_reg_mem_percent=90");
    assert!(controller("{ os: ubuntu2204 }") && !controller("{ os: debian12 }") && !controller("{ os: ubuntu2404 }"));
    for (name, cluster) in clusters() {
        let files = render(&cluster);
        let number = |key: &str| option(&files, key).unwrap().parse::<u32>().unwrap();
        assert!(number("UnkillableStepTimeout") >= 5 * number("MessageTimeout"), "{name}");
    }
}

#[test]
fn the_schedulers_are_told_what_a_cluster_needs() {
    let parameters = |text: &str| option(&render(&read(text)), "SchedulerParameters");
    let minimal = fs::read_to_string("examples/clusters/minimal.yaml").unwrap();
    // ND-03: the packaged 23.11 without a database, and that alone.
    assert_eq!(parameters(&minimal).as_deref(), Some("bf_interval=5"));
    assert_eq!(parameters(&format!("{minimal}\nimage: {{ os: debian12 }}\n")), None);
    let external = "accounting: { external: { host: db, user: slurm, password_secret: \
                    \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf\" } }";
    assert_eq!(parameters(&format!("{minimal}\n{external}\n")), None);
    // ND-06: a job whose prolog fails is not held.
    assert_eq!(parameters(&full("")).as_deref(), Some("nohold_on_prolog_fail"));
    for (name, cluster) in clusters() {
        let files = render(&cluster);
        let prolog = option(&files, "Prolog").is_some();
        let told = option(&files, "SchedulerParameters").unwrap_or_default().contains("nohold_on_prolog_fail");
        assert_eq!(prolog, told, "{name}");
    }
}

#[test]
fn a_daemon_in_the_foreground_is_no_unit_that_waits_for_word() {
    // ND-01, ND-02: with -D nothing tells systemd that the daemon is ready.
    for (name, cluster) in clusters() {
        for (path, file) in render(&cluster).iter().filter(|(path, _)| path.contains("/systemd/")) {
            let foreground = file.content.lines().any(|line| line.starts_with("ExecStart=") && line.contains(" -D"));
            let simple = file.content.contains("\nType=simple\nNotifyAccess=none\nPIDFile=\nExecStart=\nExecStart=");
            assert_eq!(foreground, simple, "{name}: {path}");
        }
    }
}

#[test]
fn no_step_is_left_to_set_e_where_it_does_not_hold() {
    // ND-10: bash ignores `set -e` in a list before `||` or `&&` and in a condition, and goes on after a step that failed.
    for (name, cluster) in clusters() {
        for (path, file) in render(&cluster).iter().filter(|(_, file)| file.content.starts_with("#!/bin/bash")) {
            for line in file.content.lines().map(str::trim) {
                let closes = [") ||", ") &&", "} ||", "} &&"].iter().any(|end| line.starts_with(end));
                let opens = ["if (", "if ! (", "if {", "! (", "! {"].iter().any(|begin| line.starts_with(begin));
                assert!(!closes && !opens, "{name}: {path}: several steps under one condition: {line}");
            }
        }
    }
    let files = render(&read(&full("")));
    let setup = &files["compute/setup.sh"].content;
    assert!(setup.contains("EFA_KEY=4E9091BCBB97A96B26B15E59A05480B1DD2D3CCC\n"));
}

/// The text of a function of a script, from its name to the brace that closes it.
fn function<'s>(script: &'s str, name: &str) -> &'s str {
    let from = script.find(&format!("\n{name}() {{\n")).unwrap_or_else(|| panic!("no function {name}"));
    &script[from..from + script[from..].find("\n}\n").unwrap() + 3]
}

/// Runs a script in an empty folder; whether it ended well, and what it said.
fn bash(case: &str, script: &str) -> (bool, String) {
    let folder = std::env::temp_dir().join(format!("hpcctl-bash-{}-{case}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut command = std::process::Command::new("bash");
    let done = command.args(["-Eeuo", "pipefail", "-c", script]).current_dir(&folder).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
}

#[test]
fn the_efa_installer_is_unpacked_by_the_known_key_alone() {
    // ND-10: each step that fails ends it, also where the caller asks for the result.
    let setup = &render(&read(&full("")))["compute/setup.sh"].content;
    let key = setup.lines().find(|line| line.starts_with("EFA_KEY=")).unwrap();
    let fetched = |case: &str, verify: &str| {
        let standins = format!(
            "log() {{ echo \"$*\"; }}; retry() {{ shift 2; \"$@\"; }}; curl() {{ :; }}; tar() {{ echo unpacked; }}\n\
             gpg() {{ [[ $* != *--verify* ]] || {{ {verify}; }}; }}"
        );
        bash(case, &format!("{standins}\n{key}\n{}\nfetch_efa . || echo refused", function(setup, "fetch_efa"))).1
    };
    let says = |key: &str| format!("echo '[GNUPG:] VALIDSIG 0123 2026-01-01 0 0 4 0 1 10 00 {key}'");
    assert_eq!(fetched("good", &says("4E9091BCBB97A96B26B15E59A05480B1DD2D3CCC")), "unpacked\n");
    let other = fetched("other", &says("0123456789ABCDEF0123456789ABCDEF01234567"));
    assert!(other.ends_with("refused\n") && !other.contains("unpacked"), "{other}");
    // A signature of the known key over something else.
    let bad = fetched("bad", &format!("{}; return 1", says("4E9091BCBB97A96B26B15E59A05480B1DD2D3CCC")));
    assert_eq!(bad, "refused\n");
}

#[test]
fn slurmctld_starts_with_slurmdbd_and_asks_it_for_its_number() {
    let setup = &render(&read(&full("")))["head/setup.sh"].content;
    // ND-04: from 24.11 on a new cluster's slurmctld does not start while slurmdbd is away.
    let start = function(setup, "start_services");
    let at = |line: &str| start.lines().position(|one| one.trim() == line).unwrap_or_else(|| panic!("no {line}"));
    assert!(at("systemctl start slurmdbd") < at("await_slurmdbd"));
    assert!(
        at("await_slurmdbd") < at("forget_cluster_id") && at("forget_cluster_id") < at("systemctl restart slurmctld")
    );
    // AW-19: the number of before counts for nothing in another database, and stays in the same.
    let forget = function(setup, "forget_cluster_id").replace("fact ", "echo ");
    let script = format!(
        "SLURM_ETC=.; echo StateSaveLocation=$PWD/state >slurm.conf; mkdir state; fact() {{ echo \"$1\"; }}\n{forget}\n\
         for round in 1 2; do echo 1208 >state/clustername; nodes_changed=false; forget_cluster_id\n\
         echo $(ls state/clustername 2>/dev/null) $nodes_changed; done"
    );
    assert_eq!(bash("number", &script), (true, "true\nstate/clustername false\n".to_owned()));
}

#[test]
fn gpus_are_looked_for_after_the_scripts_of_ones_own() {
    // AW-28: one of them may install the driver.
    let setup = &render(&read(&full("")))["compute/setup.sh"].content;
    let at = |line: &str| setup.lines().position(|one| one == line).unwrap();
    assert!(at("on_configured") < at("[[ $GPU == false ]] || check_gpus"));
    assert!(at("[[ $GPU == false ]] || check_gpus") < at("start_slurmd"));
}

#[test]
fn scripts_carry_mounts_actions_and_settings() {
    let files = render(&read(&full("image: { os: ubuntu2404 }")));
    let has = |path: &str, text: &str| {
        let content = &files[path].content;
        assert!(content.contains(text), "{path} lacks {text:?}:\n{content}");
    };
    has("head/setup.sh", r"  run_action on_configured 1 s3://tools/site.sh 'it'\''s' --role=head");
    has("head/setup.sh", "  run_action on_updated 1 s3://tools/reload.sh\n");
    has("head/setup.sh", "web-port=8445\n");
    has("head/storage.sh", "  mount_lustre scratch /fsx\n");
    has("head/storage.sh", "  mount_lustre site /site fs-0aaaabbbbccccdddd.fsx.eu-west-1.amazonaws.com abcdefgh\n");
    has("head/storage.sh", "  mount_volume apps /apps\n");
    has("head/storage.sh", "  export_nfs /home /apps\n");
    has("compute/storage.sh", "  mount_efs corp /corp 20490\n");
    has("compute/storage.sh", "  mount_nfs /apps\n");
    assert!(!files["compute/storage.sh"].content.contains("mkfs"));
    has("compute/cfd/queue.sh", "EFA=true\n");
    has("compute/cfd/queue.sh", "HYPERTHREADING=false\n");
    has("compute/cfd/queue.sh", "LOCAL_SCRATCH=/scratch\n");
    has("compute/cfd/queue.sh", "  run_action on_start 1 s3://tools/mirror.sh\n");
    has("compute/gpu/queue.sh", "a100) GPU=true ;;\n");
    has("compute/libexec/prolog", "^cfd-spot-[0-9]+$ ]] || directory=/fsx/checkpoints\n");
    has("head/libexec/clean-checkpoints", "directories=(/fsx/checkpoints)\n");
    has("head/job_submit.lua", r#"["cfd"] = { "starccm", "fluent" },"#);
    has("head/slurmdbd.conf", "PurgeJobAfter=12month\n");
    has("head/slurmdbd.conf", "StorageParameters=SSL_CA=");
    has("login/login/pool.sh", "web-port=8443\n");
    has("head/cloudwatch.json", "\"HeadDiskUsedPercent\"");
    let plain = render(&read(&full("monitoring: { logs: { enabled: false } }")));
    assert!(
        !plain.contains_key("head/cloudwatch.json") && plain["head/common.sh"].content.contains("setup_logs() { :; }")
    );
}

#[test]
fn node_config_tells_resume_what_to_launch() {
    let files = render(&read(&full("tags: { project: a }")));
    let config: NodeConfig = serde_json::from_str(&files["head/hpcctl.json"].content).unwrap();
    let spot = &config.queues[0].pools[1];
    assert_eq!((spot.node_prefix.as_str(), spot.max, spot.subnets_output.as_str()), ("cfd-spot-", 100, "SubnetsSpot"));
    assert_eq!(spot.instance_types, ["c5n.18xlarge", "c6i.32xlarge"]);
    assert_eq!(spot.subnets, ["subnet-0bbbbbbbbbbbbbbbb"]);
    // Their numbers of cores differ and hyperthreading is off: a launch template for each.
    let templates: Vec<_> = spot.launch_templates.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(templates, ["full/cfd/spot/c5n.18xlarge", "full/cfd/spot/c6i.32xlarge"]);
    let od = &config.queues[0].pools[0];
    assert_eq!((od.stack.as_str(), od.launch_templates[0].id_output.as_str()), ("queue.cfd", "LaunchTemplateOdId"));
    assert_eq!(spot.tags["project"], "a");
    let watch: serde_json::Value = serde_json::from_str(&files["compute/cfd/spot.json"].content).unwrap();
    assert_eq!((&watch["watch"], &watch["checkpoint"]["interval_minutes"]), (&true.into(), &30.into()));
    assert_eq!(watch["lustre_mounts"], serde_json::json!(["/fsx", "/site"]));
}

#[test]
fn an_unknown_instance_type_is_named_with_its_place() {
    let text = full("").replace("c6i.32xlarge", "c99.large");
    let error = node_files(&read(&text), InstanceCatalog::embedded()).unwrap_err();
    assert_eq!(error.to_string(), "unknown instance type `c99.large` at `queues[0].pools[1].instance_types[1]`");
}

#[test]
fn user_data_is_small_and_safe_for_fn_sub() {
    for role in ["head", "compute", "login"] {
        let text = fs::read_to_string(format!("templates/user-data/{role}.sh")).unwrap();
        assert!(text.len() < 4096, "{role}: {} bytes", text.len());
        for part in text.split("${").skip(1) {
            let name = part.split('}').next().unwrap();
            assert!(
                ["ArtifactBucket", "AWS::AccountId", "AWS::Region", "AWS::Partition"].contains(&name),
                "{role}: ${{{name}}}"
            );
        }
        if let Some(out) = std::env::var_os("HPCCTL_NODE_FILES_OUT") {
            let text = text.replace("${ArtifactBucket}", "bucket").replace("${AWS::Region}", "eu-west-1");
            let text = text
                .replace("${AWS::Partition}", "aws")
                .replace("${AWS::AccountId}", "123456789012")
                .replace("@@PROXY@@", "")
                .replace("@@", "");
            let to = Path::new(&out).join("user-data");
            fs::create_dir_all(&to).unwrap();
            fs::write(to.join(format!("{role}.sh")), text).unwrap();
        }
    }
}

#[test]
fn jobs_find_their_checkpoints_in_every_pool_of_the_queue() {
    let files = render(&read(&full("")));
    for script in ["prolog", "task-prolog", "epilog"] {
        let text = &files[&format!("compute/libexec/{script}")].content;
        for prefix in ["cfd-od-", "cfd-spot-"] {
            assert!(text.contains(&format!("=~ ^{prefix}[0-9]+$ ]]")), "{prefix} in {script}");
        }
        assert!(!text.contains("^gpu-"), "{script}");
    }
    let conf = &files["head/slurm.conf"].content;
    assert!(conf.contains("\nTaskProlog=/opt/hpcctl/libexec/task-prolog\nEpilog=/opt/hpcctl/libexec/epilog\n"));
}

/// What `device_of` of the head node finds when these names are in `/dev`, and lsblk says this.
fn device_of(case: &str, names: &[&str], lsblk: &str) -> String {
    let folder = std::env::temp_dir().join(format!("hpcctl-devices-{}-{case}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let dev = folder.join("dev");
    for name in names {
        let path = dev.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let script = folder.join("storage.sh");
    fs::create_dir_all(&folder).unwrap();
    fs::write(&script, &render(&read(&full("")))["head/storage.sh"].content).unwrap();
    let dev = dev.display();
    let lsblk = lsblk.replace("/dev", &dev.to_string());
    let line = format!(
        ". {}; DEV={dev}; lsblk() {{ printf '%s\\n' '{lsblk}'; }}; device_of vol-0123456789abcdef0 /dev/sdf",
        script.display()
    );
    let done = std::process::Command::new("bash").args(["-c", &line]).output().unwrap();
    let found = String::from_utf8(done.stdout).unwrap().trim().replace(&format!("{dev}/"), "");
    fs::remove_dir_all(&folder).unwrap();
    if done.status.success() { found } else { format!("none{found}") }
}

/// AW-54: instances on Xen have no NVMe devices.
#[test]
fn a_volume_is_found_on_nitro_and_on_xen() {
    let by_id = "disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0";
    assert_eq!(device_of("id", &[by_id, "xvdf"], ""), by_id);
    let serials = "/dev/nvme0n1 vol0fedcba9876543210\n/dev/nvme1n1 vol0123456789abcdef0";
    assert_eq!(device_of("serial", &["nvme0n1", "nvme1n1"], serials), "nvme1n1");
    assert_eq!(device_of("xen", &["xvda", "xvdf"], "/dev/xvda"), "xvdf");
    assert_eq!(device_of("names", &["sda", "sdf"], ""), "sdf");
    // Nothing is better than another volume.
    assert_eq!(device_of("absent", &["nvme0n1", "xvda"], "/dev/nvme0n1 vol0fedcba9876543210"), "none");
}
