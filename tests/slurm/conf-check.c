/* slurmctld keeps an exported `bool test_config`, its old `-t` option. Set before main(), it makes the daemon read
 * and judge all of its configuration and exit, without ports, saved state or another slurmctld being touched. */
#include <stdbool.h>

extern bool test_config __attribute__((weak));

__attribute__((constructor)) static void on(void)
{
	if (&test_config)
		test_config = true;
}
