/* Records of file mappings: cutting, splitting, moving, and which descriptors memd still holds. */
#include "tests/unit/kernel/harness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/base/util.h"
#include "services/sysd/mm/fdcache.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/vfs/dentry.h"

static struct dentry dentry = {.refs = 1};
static struct path path = {NULL, &dentry};
static struct mm mm;
static uint64_t ino;
static int fd;

#define P(n) ((n)*4096ull)

static void reset(void)
{
	vma_remove_all(&mm);
	assert_int_equal(dentry.refs, 1);
	assert_int_equal(mm.file_vma_count, 0);
}

static void add(uint64_t start, uint64_t size, uint64_t offset)
{
	assert_int_equal(vma_add(&mm, start, size, offset, fd, &path), 0);
}

/* The file offset that stands at addr, or -1. */
static int64_t at(uint64_t addr)
{
	struct file_vma *v = vma_find(&mm, addr, 0, ino);

	return v ? (int64_t)(v->offset + (addr - v->start)) : -1;
}

static void test_cut(void **state)
{
	add(P(10), P(10), 0);
	vma_remove(&mm, P(12), P(2));
	assert_int_equal(mm.file_vma_count, 2);
	assert_int_equal(dentry.refs, 3);
	assert_int_equal(at(P(11)), P(1));
	assert_int_equal(at(P(12)), -1);
	assert_int_equal(at(P(13)), -1);
	assert_int_equal(at(P(14)), P(4));
	assert_int_equal(at(P(19)), P(9));
	assert_int_equal(at(P(20)), -1);
	vma_remove(&mm, P(0), P(11));
	assert_int_equal(at(P(10)), -1);
	assert_int_equal(at(P(11)), P(1));
	vma_remove(&mm, P(18), P(100));
	assert_int_equal(at(P(17)), P(7));
	assert_int_equal(at(P(18)), -1);
	vma_remove(&mm, P(0), P(1000));
	reset();
}

static void test_replace(void **state)
{
	add(P(10), P(10), 0);
	add(P(12), P(2), P(100));
	assert_int_equal(at(P(11)), P(1));
	assert_int_equal(at(P(12)), P(100));
	assert_int_equal(at(P(14)), P(4));
	/* A mapping without a name clears what was there. */
	assert_int_equal(vma_add(&mm, P(10), P(3), 0, fd, NULL), 0);
	assert_int_equal(at(P(12)), -1);
	assert_int_equal(at(P(13)), P(101));
	assert_null(vma_find(&mm, P(13), 0, ino + 1));
	reset();
}

static void test_move(void **state)
{
	add(P(10), P(4), P(50));
	vma_move(&mm, P(10), P(4), P(30), P(8)); /* moved and grown */
	assert_int_equal(at(P(10)), -1);
	assert_int_equal(at(P(30)), P(50));
	assert_int_equal(at(P(37)), P(57));
	assert_int_equal(at(P(38)), -1);
	vma_move(&mm, P(30), P(8), P(30), P(2)); /* shrunk in place */
	assert_int_equal(at(P(31)), P(51));
	assert_int_equal(at(P(32)), -1);
	vma_move(&mm, P(30), P(2), P(30), P(5)); /* grown in place */
	assert_int_equal(at(P(34)), P(54));
	vma_move(&mm, P(31), P(2), P(60), P(2)); /* a piece of it */
	assert_int_equal(at(P(30)), P(50));
	assert_int_equal(at(P(31)), -1);
	assert_int_equal(at(P(33)), P(53));
	assert_int_equal(at(P(60)), P(51));
	assert_int_equal(at(P(61)), P(52));
	assert_int_equal(at(P(62)), -1);
	vma_move(&mm, P(60), 0, P(80), P(2)); /* doubled */
	assert_int_equal(at(P(60)), P(51));
	assert_int_equal(at(P(81)), P(52));
	reset();
}

static void test_random(void **state)
{
	static int64_t model[256];
	unsigned seed = 7;

	for (int i = 0; i < 256; i++)
		model[i] = -1;
	for (int round = 0; round < 5000; round++) {
		unsigned from = (unsigned)rand_r(&seed) % 200, size = 1 + (unsigned)rand_r(&seed) % 40;
		uint64_t off = P((unsigned)rand_r(&seed) % 1000);

		if (rand_r(&seed) & 1)
			add(P(from), P(size), off);
		else
			vma_remove(&mm, P(from), P(size)), off = UINT64_MAX;
		for (unsigned i = 0; i < size; i++)
			model[from + i] = off == UINT64_MAX ? -1 : (int64_t)(off + P(i));
		for (unsigned i = 0; i < 256; i++)
			assert_int_equal(at(P(i)), model[i]);
		assert_int_equal(dentry.refs, 1 + mm.file_vma_count);
	}
	reset();
}

static void test_copy(void **state)
{
	struct mm child = {0};

	list_init(&child.file_vmas);
	add(P(1), P(1), 0);
	add(P(5), P(1), 0);
	assert_int_equal(vma_copy_all(&child, &mm), 0);
	assert_int_equal(child.file_vma_count, 2);
	vma_remove_all(&child);
	assert_int_equal(mm.file_vma_count, 2);
	reset();
}

static void test_fdcache(void **state)
{
	uint64_t evicted = 0;

	for (uint64_t id = 1; id <= FDCACHE_MAX; id++)
		assert_false(fdcache_use(id, &evicted));
	assert_int_equal(evicted, 0);
	assert_true(fdcache_use(1, &evicted));
	assert_false(fdcache_use(1000, &evicted));
	assert_int_equal(evicted, 2); /* 1 was used since */
	assert_false(fdcache_forget(2));
	assert_true(fdcache_forget(1));
	assert_false(fdcache_forget(1));
	evicted = 0;
	assert_false(fdcache_use(2000, &evicted));
	assert_int_equal(evicted, 0);
	assert_true(fdcache_use(2000, &evicted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),  cmocka_unit_test(test_replace), cmocka_unit_test(test_move),
		cmocka_unit_test(test_random), cmocka_unit_test(test_copy), cmocka_unit_test(test_fdcache),
	};
	struct stat st;

	list_init(&mm.file_vmas);
	fd = open("/proc/self/exe", O_RDONLY);
	fstat(fd, &st);
	ino = st.st_ino;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
