//! The words that Slurm knows: from the slurm.conf man pages of Slurm 21.08 to 25.11.

/// Options of slurm.conf.
pub(super) const OPTIONS: &str = "\
     AccountingStorageBackupHost AccountingStorageEnforce AccountingStorageExternalHost AccountingStorageHost \
     AccountingStorageParameters AccountingStoragePass AccountingStoragePort AccountingStorageTRES \
     AccountingStorageType AccountingStorageUser AccountingStoreFlags AcctGatherEnergyType \
     AcctGatherFilesystemType AcctGatherInterconnectType AcctGatherNodeFreq AcctGatherProfileType \
     AllowSpecResourcesUsage AuthAltParameters AuthAltTypes AuthInfo AuthType BackupAddr BackupController \
     BatchStartTimeout BcastExclude BcastParameters BurstBufferType CertgenParameters CertgenType \
     CertmgrParameters CertmgrType CheckpointType CliFilterPlugins ClusterName CommunicationParameters \
     CompleteWait ControlAddr ControlMachine CoreSpecPlugin CpuFreqDef CpuFreqGovernors CredType CryptoType \
     DataParserParameters DebugFlags DefCpuPerGPU DefMemPerCPU DefMemPerGPU DefMemPerNode DependencyParameters \
     DisableRootJobs DownNodes EioTimeout EnforcePartLimits Epilog EpilogMsgTime EpilogSlurmctld \
     ExtSensorsFreq ExtSensorsType FairShareDampeningFactor FederationParameters FirstJobId FrontendName \
     GetEnvTimeout GpuFreqDef GresTypes GroupUpdateForce GroupUpdateTime HashPlugin HealthCheckInterval \
     HealthCheckNodeState HealthCheckProgram HttpParserType InactiveLimit Include InteractiveStepOptions \
     JobAcctGatherFrequency JobAcctGatherParams JobAcctGatherType JobCompHost JobCompLoc JobCompParams \
     JobCompPass JobCompPort JobCompType JobCompUser JobContainerType JobFileAppend JobRequeue \
     JobSubmitPlugins KeepAliveTime KillOnBadExit KillWait LaunchParameters LaunchType Licenses LogTimeFormat \
     MCSParameters MCSPlugin MailDomain MailProg MaxArraySize MaxBatchRequeue MaxDBDMsgs MaxJobCount MaxJobId \
     MaxMemPerCPU MaxMemPerNode MaxNodeCount MaxStepCount MaxTasksPerNode MessageTimeout MetricsType MinJobAge \
     MpiDefault MpiParams NamespaceParameters NamespaceType NodeFeaturesPlugins NodeName NodeSet OverTimeLimit \
     PartitionName PlugStackConfig PluginDir PowerParameters PowerPlugin PrEpParameters PrEpPlugins \
     PreemptExemptTime PreemptMode PreemptType PriorityCalcPeriod PriorityDecayHalfLife PriorityFavorSmall \
     PriorityFlags PriorityMaxAge PriorityParameters PrioritySiteFactorParameters PrioritySiteFactorPlugin \
     PriorityType PriorityUsageResetPeriod PriorityWeightAge PriorityWeightAssoc PriorityWeightFairshare \
     PriorityWeightJobSize PriorityWeightPartition PriorityWeightQOS PriorityWeightTRES PrivateData \
     ProctrackType Prolog PrologEpilogTimeout PrologFlags PrologSlurmctld PropagatePrioProcess \
     PropagateResourceLimits PropagateResourceLimitsExcept RebootProgram ReconfigFlags RequeueExit \
     RequeueExitHold ResumeFailProgram ResumeProgram ResumeRate ResumeTimeout ResvEpilog ResvOverRun \
     ResvProlog ReturnToService RoutePlugin SchedulerParameters SchedulerTimeSlice SchedulerType \
     ScronParameters SelectType SelectTypeParameters SlurmSchedLogFile SlurmSchedLogLevel SlurmUser \
     SlurmctldAddr SlurmctldDebug SlurmctldHost SlurmctldLogFile SlurmctldParameters SlurmctldPidFile \
     SlurmctldPlugstack SlurmctldPort SlurmctldPrimaryOffProg SlurmctldPrimaryOnProg SlurmctldSyslogDebug \
     SlurmctldTimeout SlurmdDebug SlurmdLogFile SlurmdParameters SlurmdPidFile SlurmdPort SlurmdSpoolDir \
     SlurmdSyslogDebug SlurmdTimeout SlurmdUser SrunEpilog SrunPortRange SrunProlog StateSaveLocation \
     SuspendExcNodes SuspendExcParts SuspendProgram SuspendRate SuspendTime SuspendTimeout SwitchParameters \
     SwitchType TCPTimeout TLSParameters TLSType TaskEpilog TaskPlugin TaskPluginParam TaskProlog TmpFS \
     TopologyParam TopologyPlugin TrackWCKey TreeWidth UnkillableStepProgram UnkillableStepTimeout \
     UrlParserType UsePAM VSizeFactor WaitTime X11Parameters";

/// Options of a node line.
pub(super) const NODE_OPTIONS: &str = "\
     BcastAddr Boards CPUs CertificateFile Comment CoreSpecCount CoresPerSocket CpuBind CpuSpecList Extra \
     Feature Features Gres InstanceId InstanceType MemSpecLimit NodeAddr NodeHostname NodeName Parameters Port \
     Procs RealMemory Reason RestrictedCoresPerGPU Sockets SocketsPerBoard State TRESWeights ThreadsPerCore \
     TmpDisk Topology Weight";

/// Options of a partition line.
pub(super) const PARTITION_OPTIONS: &str = "\
     AllocNodes AllowAccounts AllowGroups AllowQos Alternate CpuBind DefCpuPerGPU DefMemPerCPU DefMemPerGPU \
     DefMemPerNode Default DefaultTime DenyAccounts DenyQos DisableRootJobs ExclusiveUser GraceTime Hidden LLN \
     MaxCPUsPerNode MaxCPUsPerSocket MaxMemPerCPU MaxMemPerNode MaxNodes MaxTime MinNodes Nodes OverSubscribe \
     OverTimeLimit PartitionName PowerDownOnIdle PreemptMode PriorityJobFactor PriorityTier QOS ReqResv \
     ResumeTimeout RootOnly SelectTypeParameters Shared State SuspendTime SuspendTimeout TRESBillingWeights \
     Topology";

/// Options that are lists of words, some with a value behind them.
pub(super) const LISTS: &[(&str, &str)] = &[
    (
        "SlurmctldParameters",
        "\
         allow_user_triggers cloud_dns cloud_reg_addrs conmgr_connect_timeout conmgr_max_connections \
         conmgr_quiesce_timeout conmgr_read_timeout conmgr_threads conmgr_use_poll conmgr_wait_write_delay \
         conmgr_write_timeout disable_triggers enable_async_reply enable_configless enable_expedited_requeue \
         enable_extra_job_states enable_job_state_cache enable_rpc_queue enable_stepmgr \
         getnameinfo_cache_timeout host_unreach_retry_count idle_on_node_suspend kill_retry \
         max_dbd_msg_action max_powered_nodes no_quick_restart node_reg_mem_percent ping_nodes_now \
         power_save_interval power_save_min_interval preempt_send_user_signal prolog_slurmctld_array_cancel \
         reboot_from_controller reconfig_on_restart require_user_account rl_bucket_size rl_enable rl_log_freq \
         rl_refill_period rl_refill_rate rl_table_size user_resv_delete validate_nodeaddr_threads",
    ),
    (
        "SlurmdParameters",
        "\
         allow_ecores config_overrides conmgr_threads contain_spank l3cache_as_socket numa_node_as_socket \
         shutdown_on_reboot use_dmem",
    ),
    (
        "SchedulerParameters",
        "\
         allow_zero_lic assoc_limit_stop batch_sched_delay bb_array_stage_cnt bf_allow_magnetic_slot \
         bf_busy_nodes bf_continue bf_hetjob_immediate bf_hetjob_prio bf_interval bf_job_part_count_reserve \
         bf_licenses bf_max_job_array_resv bf_max_job_assoc bf_max_job_part bf_max_job_start bf_max_job_test \
         bf_max_job_user bf_max_job_user_part bf_max_time bf_min_age_reserve bf_min_prio_reserve \
         bf_node_space_size bf_one_resv_per_job bf_resolution bf_running_job_reserve bf_topopt_enable \
         bf_topopt_iterations bf_window bf_window_linear bf_yield_interval bf_yield_sleep build_queue_timeout \
         correspond_after_task_cnt default_gbytes default_queue_depth defer defer_batch delay_boot \
         disable_hetjob_steps disable_job_shrink enable_hetjob_steps enable_job_state_cache enable_user_top \
         extra_constraints Ignore_NUMA ignore_prefer_validation max_array_tasks max_rpc_cnt max_sched_time \
         max_script_size max_submit_line_size max_switch_wait no_backup_scheduling no_env_cache \
         nohold_on_prolog_fail pack_serial_at_end partition_job_depth preempt_reorder_count \
         preempt_strict_order preempt_youngest_first reduce_completing_frag requeue_setup_env_fail \
         salloc_wait_nodes sbatch_wait_nodes sched_interval sched_max_job_start sched_min_interval \
         spec_cores_first step_retry_count step_retry_time time_min_as_soft_limit whole_hetjob whole_pack",
    ),
    (
        "LaunchParameters",
        "\
         batch_step_set_cpu_freq cray_net_exclusive disable_send_gids enable_nss_slurm lustre_no_flush \
         mem_sort mpir_use_nodeaddr send_gids slurmstepd_memlock slurmstepd_memlock_all test_exec \
         ulimit_pam_adopt use_interactive_step",
    ),
    (
        "PrologFlags",
        "\
         Alloc Contain DeferBatch ForceRequeueOnFail NoHold None RunInJob Serial X11",
    ),
    (
        "AccountingStorageEnforce",
        "\
         0 1 all associations limits nojobs none nosteps qos safe wckeys",
    ),
    (
        "PriorityFlags",
        "\
         ACCRUE_ALWAYS CALCULATE_RUNNING DEPTH_OBLIVIOUS FAIR_TREE INCR_ONLY MAX_TRES MAX_TRES_GRES \
         NO_FAIR_TREE NO_NORMAL_ALL NO_NORMAL_ASSOC NO_NORMAL_PART NO_NORMAL_QOS NO_NORMAL_TRES \
         SMALL_RELATIVE_TO_TIME",
    ),
    (
        "CommunicationParameters",
        "\
         block_null_hash CheckGhalQuiesce disable_http DisableIPv4 EnableIPv6 getnameinfo_cache_timeout \
         host_unreach_retry_count keepaliveinterval keepaliveprobes keepalivetime NoAddrCache NoCtldInAddrAny \
         NoInAddrAny",
    ),
    (
        "JobAcctGatherParams",
        "\
         DisableGPUAcct NoOverMemoryKill NoShared OverMemoryKill UsePss",
    ),
];
