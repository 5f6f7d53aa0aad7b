/* Unpacks Zstandard frames with libzstd. Standard input: per page a 32-bit length and the frame; output: the
   pages, of as many bytes as the argument says. Refuses frames without content size or with a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

int main(int argc, char **argv)
{
	size_t page_size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	char *page = malloc(page_size + 1), *frame = malloc(2 * page_size + 4096);
	uint32_t length, count = 0;

	for (; fread(&length, sizeof length, 1, stdin) == 1; count++) {
		if (length > 2 * page_size + 4096 || fread(frame, 1, length, stdin) != length)
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
