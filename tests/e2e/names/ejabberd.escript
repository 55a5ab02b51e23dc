%% What ejabberd makes of each line of a file: as part of an address, and for DNS.
main([File]) ->
    {ok, _} = application:ensure_all_started(stringprep),
    {ok, Text} = file:read_file(File),
    Lines = binary:split(Text, <<"\n">>, [global, trim_all]),
    [io:put_chars([prepared(Line), "\t", ascii(Line), "\n"]) || Line <- Lines].

prepared(Line) ->
    case jid:nameprep(Line) of
        error -> "";
        Text -> hex(Text)
    end.

%% The library refuses what is no name for DNS (IDNA2008).
ascii(Line) ->
    try idna:utf8_to_ascii(Line) catch _:_ -> "" end.

%% Whatever it is, it leaves as ASCII.
hex(Text) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Text].
