/* libzstd on pages of a given size: "pack SIZE" reads pages and prints how many bytes they take at level 1 by
   one context, a page its own size at most; "unpack SIZE" reads frames, each behind its 32-bit length, and
   writes pages. Refuses frames without content size or with a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static int pack(size_t page_size, char *page, char *frame, size_t room)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t total = 0;

	while (fread(page, 1, page_size, stdin) == page_size) {
		size_t size = ZSTD_compressCCtx(context, frame, room, page, page_size, 1);
		total += size < page_size ? size : page_size;
	}
	printf("%zu\n", total);
	return 0;
}

int main(int argc, char **argv)
{
	size_t page_size = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, room = 2 * page_size + 4096;
	char *page = malloc(page_size + 1), *frame = malloc(room);
	uint32_t length, count = 0;

	if (strcmp(argv[1], "pack") == 0)
		return pack(page_size, page, frame, room);
	for (; fread(&length, sizeof length, 1, stdin) == 1; count++) {
		if (length > room || fread(frame, 1, length, stdin) != length)
			return fprintf(stderr, "page %u: frame of %u bytes cut off\n", count, length), 1;
		if (ZSTD_getFrameContentSize(frame, length) != page_size || (frame[4] & 4) != 0)
			return fprintf(stderr, "page %u: not this frame header\n", count), 1;
		size_t size = ZSTD_decompress(page, page_size + 1, frame, length);
		if (size != page_size)
			return fprintf(stderr, "page %u: %s\n", count,
				       ZSTD_isError(size) ? ZSTD_getErrorName(size) : "another size"), 1;
		fwrite(page, 1, page_size, stdout);
	}
	return 0;
}
