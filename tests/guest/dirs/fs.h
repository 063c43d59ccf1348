#include "../files/fs.h"
