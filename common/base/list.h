/* Intrusive doubly linked circular list. A head is a node that points to itself when empty. */
#ifndef SBX_BASE_LIST_H
#define SBX_BASE_LIST_H

#include <stdbool.h>
#include "common/base/util.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_insert_(struct list *n, struct list *prev, struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}
/* Insert at the front. */
static inline void list_add(struct list *head, struct list *n)
{
	list_insert_(n, head, head->next);
}
/* Insert at the end. */
static inline void list_add_tail(struct list *head, struct list *n)
{
	list_insert_(n, head->prev, head);
}
/* Remove; the node is left self-linked, so that removing it twice is harmless. */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}
#define LIST_ENTRY(ptr, type, member) CONTAINER_OF(ptr, type, member)
#define LIST_FIRST(head, type, member) LIST_ENTRY((head)->next, type, member)
#define LIST_FOR_EACH(pos, head, member)                                                  \
	for (pos = LIST_ENTRY((head)->next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = LIST_ENTRY(pos->member.next, __typeof__(*pos), member))
/* As LIST_FOR_EACH; the body may remove pos. */
#define LIST_FOR_EACH_SAFE(pos, tmp, head, member)                          \
	for (pos = LIST_ENTRY((head)->next, __typeof__(*pos), member),      \
	    tmp = LIST_ENTRY(pos->member.next, __typeof__(*pos), member);   \
	     &pos->member != (head);                                        \
	     pos = tmp, tmp = LIST_ENTRY(tmp->member.next, __typeof__(*tmp), member))

#endif
