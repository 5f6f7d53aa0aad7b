/* Loaded in front of the C library: files whose path contains FAIL_FILE fail as the environment says.
 *
 * FAIL_CALL   pread64, pwrite64, fsync, fdatasync
 * FAIL_ERRNO  number; 0: the call reads or writes nothing and says so, as at the end of a file
 * FAIL_FROM   pread64, pwrite64: only calls that touch bytes from here on …
 * FAIL_TO     … and before here
 * FAIL_AFTER  only after so many calls
 * FAIL_SHORT  instead of failing, pread64 and pwrite64 move at most so many bytes
 * FAIL_SLEEP  instead of failing, wait so many microseconds
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);
	return text ? atol(text) : otherwise;
}

/* Is this call, of `size` bytes at `at`, one to tamper with? */
static int matches(const char *call, int fd, size_t size, off64_t at)
{
	static long calls;
	char link[64], path[4096];
	const char *file = getenv("FAIL_FILE"), *wanted = getenv("FAIL_CALL");
	ssize_t length;

	if (!file || !wanted || strcmp(call, wanted))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	if (!strstr(path, file))
		return 0;
	if (at + (off64_t)size <= number("FAIL_FROM", 0) || at >= number("FAIL_TO", 1L << 62))
		return 0;
	return __sync_add_and_fetch(&calls, 1) > number("FAIL_AFTER", 0);
}

static int fails(size_t *size)
{
	long most = number("FAIL_SHORT", 0), wait = number("FAIL_SLEEP", 0);

	if (wait)
		usleep(wait);
	if (most && *size > (size_t)most)
		*size = most;
	if (wait || most)
		return 0;
	errno = number("FAIL_ERRNO", EIO);
	return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pread64(int fd, void *to, size_t size, off64_t at)
{
	if (matches("pread64", fd, size, at) && fails(&size))
		return errno ? -1 : 0;
	return REAL(pread64)(fd, to, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at)
{
	if (matches("pwrite64", fd, size, at) && fails(&size))
		return errno ? -1 : 0;
	return REAL(pwrite64)(fd, from, size, at);
}

int fsync(int fd)
{
	size_t size = 1;
	if (matches("fsync", fd, 1, 0) && fails(&size))
		return -1;
	return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	size_t size = 1;
	if (matches("fdatasync", fd, 1, 0) && fails(&size))
		return -1;
	return REAL(fdatasync)(fd);
}
