/* A scontrol without a slurmctld, and a sudo that asks nobody: what ResumePrograms call, at the price of a process.
 *
 *     scontrol show hostnames LIST    the names in LIST, one a line
 *     scontrol show nodes LIST        a record for each
 *     scontrol update nodename=...    nothing
 *     sudo PROGRAM [ARGUMENT...]      PROGRAM
 *
 * LIST is `a-1,b-[1-3,7]`. Every call of scontrol adds a line to the file $SCONTROL_LOG: `show 3`, or `update 3`, with
 * the number of addresses. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *record =
    "NodeName=%s Arch=x86_64 CoresPerSocket=1 \n"
    "   CPUAlloc=16 CPUEfctv=16 CPUTot=16 CPULoad=N/A\n"
    "   AvailableFeatures=dynamic,c5.4xlarge,od\n"
    "   ActiveFeatures=dynamic,c5.4xlarge,od\n"
    "   Gres=(null)\n"
    "   NodeAddr=%s NodeHostName=%s \n"
    "   RealMemory=31129 AllocMem=0 FreeMem=N/A Sockets=16 Boards=1\n"
    "   State=ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP ThreadsPerCore=1 TmpDisk=0 Weight=1000 Owner=N/A "
    "MCS_label=N/A\n"
    "   Partitions=cfd \n"
    "   BootTime=None SlurmdStartTime=None\n"
    "   LastBusyTime=2026-01-31T12:00:00 ResumeAfterTime=None\n"
    "   CfgTRES=cpu=16,mem=31129M,billing=16\n"
    "   AllocTRES=cpu=16\n"
    "   CurrentWatts=0 AveWatts=0\n"
    "   ExtSensorsJoules=n/a ExtSensorsWatts=0 ExtSensorsTemp=n/a\n\n";

static int shown, as_records;

static void show(const char *name)
{
    shown++;
    if (as_records)
        printf(record, name, name, name);
    else
        puts(name);
}

/* The names of one part: `a-1` or `b-[1-3,7]`. */
static void expand(char *part)
{
    char name[512], *open = strchr(part, '['), *range, *next;

    if (!open) {
        show(part);
        return;
    }
    *open = '\0';
    open[strcspn(open + 1, "]") + 1] = '\0';
    for (range = strtok_r(open + 1, ",", &next); range; range = strtok_r(NULL, ",", &next)) {
        char *dash = strchr(range, '-');
        long first = strtol(range, NULL, 10), last = dash ? strtol(dash + 1, NULL, 10) : first;
        for (; first <= last; first++) {
            snprintf(name, sizeof name, "%s%ld", part, first);
            show(name);
        }
    }
}

static void expand_all(char *list)
{
    int depth = 0;
    char *part = list;

    for (char *at = list;; at++) {
        char letter = *at;
        depth += (letter == '[') - (letter == ']');
        if (letter && (letter != ',' || depth))
            continue;
        *at = '\0';
        if (*part)
            expand(part);
        part = at + 1;
        if (!letter)
            return;
    }
}

static void note(const char *what, int count)
{
    const char *path = getenv("SCONTROL_LOG");
    char line[64];
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;

    if (file < 0)
        return;
    if (write(file, line, (size_t)snprintf(line, sizeof line, "%s %d\n", what, count)) < 0)
        perror("scontrol");
    close(file);
}

int main(int count, char **arguments)
{
    const char *slash = strrchr(arguments[0], '/');

    if (strcmp(slash ? slash + 1 : arguments[0], "sudo") == 0) {
        execvp(arguments[1], arguments + 1);
        perror(arguments[1]);
        return 127;
    }
    if (count == 4 && strcmp(arguments[1], "show") == 0) {
        as_records = strncmp(arguments[2], "node", 4) == 0;
        expand_all(arguments[3]);
        note("show", shown);
        return 0;
    }
    if (count > 2 && strcmp(arguments[1], "update") == 0) {
        int addresses = 0;
        for (int one = 2; one < count; one++) {
            if (strncmp(arguments[one], "nodeaddr=", 9) != 0)
                continue;
            addresses = 1;
            for (const char *at = arguments[one]; (at = strchr(at, ',')); at++)
                addresses++;
        }
        note("update", addresses);
        return 0;
    }
    fputs("scontrol: what?\n", stderr);
    return 1;
}
