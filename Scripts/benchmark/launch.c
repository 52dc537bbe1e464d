// Runs a command and writes what it has taken: seconds of wall and processor time, peak memory in kB, exit status.
//   launch RESULT COMMAND...
// A small process of its own: a child's peak begins with that of the process that starts it.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: launch RESULT COMMAND...\n");
        return 64;
    }
    double start = seconds();
    pid_t child = fork();
    if (child == 0) {
        execvp(arguments[2], arguments + 2);
        perror(arguments[2]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("launch");
        return 2;
    }
    double wall = seconds() - start;
    struct timeval user = usage.ru_utime, system = usage.ru_stime;
    double cpu = user.tv_sec + system.tv_sec + (user.tv_usec + system.tv_usec) * 1e-6;
    FILE *result = fopen(arguments[1], "w");
    if (!result || fprintf(result, "%.6f %.6f %ld\n", wall, cpu, usage.ru_maxrss) < 0 || fclose(result) != 0) {
        perror(arguments[1]);
        return 2;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
