/* What the line discipline calls when the master side is the launcher's terminal. */
#ifndef SYSD_TTY_BRIDGE_H
#define SYSD_TTY_BRIDGE_H
struct tty_bridge;
void tty_bridge_output(struct tty_bridge *b);
void tty_bridge_input_room(struct tty_bridge *b);
#endif
