/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd: the HTTP server, with its variadic calls given fixed shapes. */
#pragma once
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>

/* Where the library's own messages go: TAKE gets each as one text without its line feed. */
struct sonde_mhd_logger {
    void (*take)(void *context, const char *text);
    void *context;
};

/* The form in which libmicrohttpd hands out messages; LOGGER is a struct sonde_mhd_logger. */
static inline void sonde_mhd_log(void *logger, const char *format, va_list arguments)
{
    const struct sonde_mhd_logger *self = logger;
    char text[512];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0)
        return;
    if (length >= (int)sizeof text)
        length = (int)sizeof text - 1;
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = 0;
    self->take(self->context, text);
}

/* Starts a daemon with LOGGER and the OPTIONS that follow, which end with MHD_OPTION_END. LOGGER
   must outlive it. Returns NULL on failure, having told LOGGER why.  */
static inline struct MHD_Daemon *sonde_mhd_start(unsigned int flags, void *context,
                                                 MHD_AccessHandlerCallback handler,
                                                 struct sonde_mhd_logger *logger,
                                                 struct MHD_OptionItem *options)
{
    return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_EXTERNAL_LOGGER,
                            sonde_mhd_log, logger, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* What the application attached to CONNECTION when it began; NULL when nothing. */
static inline void *sonde_mhd_socket_context(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The socket of CONNECTION, or -1. */
static inline int sonde_mhd_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* The length of a body that is not known. */
static inline uint64_t sonde_mhd_unknown_size(void) { return MHD_SIZE_UNKNOWN; }

/* What a reader of content returns at the end of it. */
static inline ssize_t sonde_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }

/* What a reader of content returns when it cannot go on. */
static inline ssize_t sonde_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

/* Closes an upgraded connection; URH is not valid any more afterwards. */
static inline void sonde_mhd_close_upgraded(struct MHD_UpgradeResponseHandle *urh)
{
    (void)MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
}
