-- job_submit.lua of the cluster {{ cluster }}. Written by hpcctl.
-- Every job takes one of each licence of its queue, unless it names that licence itself.

local DEFAULT = {{ default_queue | lua }}
local LICENSES = {
{% for queue in queues %}
   [{{ queue.name | lua }}] = { {% for name in queue.licenses %}{{ name | lua }}{% if not loop.last %}, {% endif %}{% endfor %} },
{% endfor %}
}

-- Whether a list such as "fluent:4,starccm@server" names the licence.
local function names(list, license)
   for item in string.gmatch(list, "[^,;|]+") do
      if string.match(item, "^%s*([^:@*]+)") == license then
         return true
      end
   end
   return false
end

function slurm_job_submit(job, parts, uid)
   -- A job may name several partitions; it needs the licences of each, whichever it starts in.
   for partition in string.gmatch(job.partition or DEFAULT, "[^,]+") do
      for _, license in ipairs(LICENSES[partition] or {}) do
         local list = job.licenses or ""
         if not names(list, license) then
            job.licenses = (list == "" and "" or list .. ",") .. license .. ":1"
         end
      end
   end
   return slurm.SUCCESS
end

function slurm_job_modify(job, old, parts, uid)
   return slurm.SUCCESS
end

return slurm.SUCCESS
