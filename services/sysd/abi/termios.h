/* Guest ABI of terminals (x86-64 Linux). */
#ifndef SYSD_ABI_TERMIOS_H
#define SYSD_ABI_TERMIOS_H

#include <stdint.h>

#define ABI_NCCS 19
/* struct termios of TCGETS; termios2 of TCGETS2 adds the speeds. */
struct abi_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[ABI_NCCS];
};
_Static_assert(sizeof(struct abi_termios) == 36, "kernel struct termios is 36 bytes");
struct abi_ktermios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[ABI_NCCS];
	uint32_t ispeed, ospeed;
};
_Static_assert(sizeof(struct abi_ktermios) == 44, "struct termios2 is 44 bytes");
struct abi_termio {
	uint16_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[8];
	uint8_t pad;
};
_Static_assert(sizeof(struct abi_termio) == 18, "struct termio is 18 bytes");
struct abi_winsize {
	uint16_t row, col, xpixel, ypixel;
};

enum {
	ABI_VINTR, ABI_VQUIT, ABI_VERASE, ABI_VKILL, ABI_VEOF, ABI_VTIME, ABI_VMIN, ABI_VSWTC, ABI_VSTART,
	ABI_VSTOP, ABI_VSUSP, ABI_VEOL, ABI_VREPRINT, ABI_VDISCARD, ABI_VWERASE, ABI_VLNEXT, ABI_VEOL2,
};
#define ABI_IUTF8 0x4000u
/* the requests that carry struct termios2 */
#define ABI_TCGETS2 0x802c542au
#define ABI_TCSETS2 0x402c542bu
#define ABI_TCSETSW2 0x402c542cu
#define ABI_TCSETSF2 0x402c542du

#endif
