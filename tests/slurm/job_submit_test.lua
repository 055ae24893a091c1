-- Runs a rendered job_submit.lua outside Slurm: lua5.3 job_submit_test.lua job_submit.lua QUEUE LICENSE...
slurm = { SUCCESS = 0 }
dofile(arg[1])
local queue, wanted = arg[2], {}
for i = 3, #arg do
   wanted[#wanted + 1] = arg[i] .. ":1"
end
local all = table.concat(wanted, ",")

local function submit(partition, licenses)
   local job = { partition = partition, licenses = licenses }
   assert(slurm_job_submit(job, {}, 1000) == slurm.SUCCESS)
   return job.licenses
end

assert(submit(queue, nil) == all, submit(queue, nil))
assert(submit(queue .. ",nowhere", "") == all)
assert(submit("nowhere", nil) == nil)
assert(submit("nowhere", "other:2") == "other:2")
-- Who names the licence gets as many as they say; a name that only begins alike is another licence.
assert(submit(queue, all) == all)
assert(submit(queue, arg[3] .. "x:2") == arg[3] .. "x:2," .. all)
assert(slurm_job_modify({}, {}, {}, 0) == slurm.SUCCESS)
