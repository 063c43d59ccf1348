/* Guest ABI of System V IPC and POSIX message queues (x86-64 Linux). */
#ifndef SYSD_ABI_IPC_H
#define SYSD_ABI_IPC_H

#include <stdint.h>

struct abi_ipc64_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t seq, pad;
	uint64_t unused[2];
};
_Static_assert(sizeof(struct abi_ipc64_perm) == 48, "struct ipc64_perm is 48 bytes");
struct abi_shmid64_ds {
	struct abi_ipc64_perm perm;
	uint64_t segsz;
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
	uint64_t nattch, unused[2];
};
_Static_assert(sizeof(struct abi_shmid64_ds) == 112, "struct shmid64_ds is 112 bytes");
struct abi_shminfo64 {
	uint64_t shmmax, shmmin, shmmni, shmseg, shmall, unused[4];
};
struct abi_shm_info {
	int32_t used_ids, pad;
	uint64_t tot, rss, swp, swap_attempts, swap_successes;
};
struct abi_semid64_ds {
	struct abi_ipc64_perm perm;
	int64_t otime;
	uint64_t unused1;
	int64_t ctime;
	uint64_t unused2, nsems, unused3, unused4;
};
_Static_assert(sizeof(struct abi_semid64_ds) == 104, "struct semid64_ds is 104 bytes");
struct abi_seminfo {
	int32_t map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem;
};
struct abi_sembuf {
	uint16_t num;
	int16_t op, flg;
};
struct abi_msqid64_ds {
	struct abi_ipc64_perm perm;
	int64_t stime, rtime, ctime;
	uint64_t cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uint64_t unused[2];
};
_Static_assert(sizeof(struct abi_msqid64_ds) == 120, "struct msqid64_ds is 120 bytes");
struct abi_msginfo {
	int32_t pool, map, max, mnb, mni, ssz, tql;
	uint16_t seg, pad;
};
struct abi_mq_attr {
	int64_t flags, maxmsg, msgsize, curmsgs, reserved[4];
};

#define ABI_IPC_CREAT 01000
#define ABI_IPC_EXCL 02000
#define ABI_IPC_NOWAIT 04000
#define ABI_IPC_PRIVATE 0
#define ABI_IPC_RMID 0
#define ABI_IPC_SET 1
#define ABI_IPC_STAT 2
#define ABI_IPC_INFO 3
#define ABI_SHM_RDONLY 010000
#define ABI_SHM_RND 020000
#define ABI_SHM_REMAP 040000
#define ABI_SHM_EXEC 0100000
#define ABI_SHM_HUGETLB 04000
#define ABI_SHM_DEST 01000
#define ABI_SHM_LOCKED 02000
#define ABI_SHM_LOCK 11
#define ABI_SHM_UNLOCK 12
#define ABI_SHM_STAT 13
#define ABI_SHM_INFO 14
#define ABI_SHM_STAT_ANY 15
#define ABI_SEM_UNDO 0x1000
#define ABI_GETPID 11
#define ABI_GETVAL 12
#define ABI_GETALL 13
#define ABI_GETNCNT 14
#define ABI_GETZCNT 15
#define ABI_SETVAL 16
#define ABI_SETALL 17
#define ABI_SEM_STAT 18
#define ABI_SEM_INFO 19
#define ABI_SEM_STAT_ANY 20
#define ABI_SEMVMX 32767
#define ABI_MSG_STAT 11
#define ABI_MSG_INFO 12
#define ABI_MSG_STAT_ANY 13
#define ABI_MSG_NOERROR 010000
#define ABI_MSG_EXCEPT 020000
#define ABI_MSG_COPY 040000

#endif
