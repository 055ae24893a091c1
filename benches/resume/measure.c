/* measure [-p] OUT PROGRAM [ARGUMENT...]: runs a program and writes what it took to OUT, as JSON.
 *
 * Wall time, CPU time of the program and all its children, and the peak memory of the largest of these processes. It is
 * a small program of its own because a child's peak begins with that of the process it was forked from: measured from
 * Python, every program would seem to need as much as Python.
 *
 * With -p it also looks every millisecond how much of the program's memory is its own (RssAnon): without its code and
 * data that it maps from files, which processes share and the kernel may drop. That takes time from the program. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static long own_kib(pid_t process)
{
    char path[64], line[256];
    long found = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %ld", &found) == 1)
            break;
    if (file)
        fclose(file);
    return found;
}

int main(int count, char **arguments)
{
    struct timespec begin, end;
    struct rusage usage;
    int status, look = count > 1 && strcmp(arguments[1], "-p") == 0;
    long own = 0, now;

    arguments += look;
    if (count - look < 3) {
        fputs("usage: measure [-p] OUT PROGRAM [ARGUMENT...]\n", stderr);
        return 64;
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = fork();
    if (child == 0) {
        execvp(arguments[2], arguments + 2);
        perror(arguments[2]);
        _exit(127);
    }
    pid_t ended = 0;
    while (child > 0 && (ended = wait4(child, &status, look ? WNOHANG : 0, &usage)) == 0) {
        if ((now = own_kib(child)) > own)
            own = now;
        usleep(1000);
    }
    if (child < 0 || ended != child) {
        perror("measure");
        return 70;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    FILE *out = fopen(arguments[1], "w");
    if (!out) {
        perror(arguments[1]);
        return 73;
    }
    fprintf(out, "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kib\": %ld, \"own_kib\": %ld, "
            "\"code\": %d}\n",
            (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
            seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss, own,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(out) == 0 ? 0 : 74;
}
