"""The driver contract on the wire, for a driver that is written in Python.

docs/contract/driver.md, "Without the SDK", is what this does. It needs grpcio and
protobuf, and generates no code: the messages come from the contract's descriptors.
"""

import concurrent.futures
import datetime
import json
import logging
import os
import pkgutil
import signal
import sys
import threading
import time

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

COOKIE = ("MAGNUM_DRIVER_PLUGIN", "5d3d2c1e-9c0c-4f0e-8c7e-magnum-driver")
PACKAGE = "magnum.driver.v1."
ERROR_DOMAIN = "driver.magnum.openstack.org"
MAX_MESSAGE = 16 << 20
TERM_GRACE, ORPHAN_GRACE = 5, 2  # seconds

log = logging.getLogger("driver")
pool = descriptor_pool.DescriptorPool()


def _load():
    files = descriptor_pb2.FileDescriptorSet.FromString(pkgutil.get_data(__name__, "contract.binpb")).file
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())

    # google.rpc.Status and ErrorInfo: protobuf does not bring them, and two messages need no package.
    rpc = descriptor_pb2.FileDescriptorProto(name="google/rpc/wire.proto", package="google.rpc", syntax="proto3",
                                             dependency=[any_pb2.DESCRIPTOR.name])
    field = descriptor_pb2.FieldDescriptorProto
    for name, fields in {"Status": [("code", field.TYPE_INT32), ("message", field.TYPE_STRING), ("details", field.TYPE_MESSAGE)],
                         "ErrorInfo": [("reason", field.TYPE_STRING), ("domain", field.TYPE_STRING)]}.items():
        message = rpc.message_type.add(name=name)
        for number, (field_name, kind) in enumerate(fields, 1):
            one = message.field.add(name=field_name, number=number, type=kind, label=field.LABEL_OPTIONAL)
            if kind == field.TYPE_MESSAGE:
                one.label, one.type_name = field.LABEL_REPEATED, ".google.protobuf.Any"
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(rpc.SerializeToString())


_load()


def message(name):
    """The class of a message by its name in the contract, or by its full one."""
    descriptor = pool.FindMessageTypeByName(name if "." in name else PACKAGE + name)
    if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and later
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


class Error(Exception):
    """What a driver says of a request that it does not carry out."""

    CODES = {
        "INVALID_INPUT": grpc.StatusCode.INVALID_ARGUMENT,
        "UNSUPPORTED": grpc.StatusCode.UNIMPLEMENTED,
        "CONFLICT": grpc.StatusCode.ABORTED,
        "PRECONDITION": grpc.StatusCode.FAILED_PRECONDITION,
        "NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "QUOTA": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "THROTTLED": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
        "AUTH": grpc.StatusCode.UNAUTHENTICATED,
        "TIMEOUT": grpc.StatusCode.DEADLINE_EXCEEDED,
        "BUG": grpc.StatusCode.INTERNAL,
    }

    def __init__(self, kind, for_user, for_operator=""):
        super().__init__(for_user)
        self.kind, self.for_user, self.for_operator = kind, for_user, for_operator

    def abort(self, context):
        code = self.CODES[self.kind]
        status = message("google.rpc.Status")(code=code.value[0], message=self.for_user)
        for detail in (message("google.rpc.ErrorInfo")(reason=self.kind, domain=ERROR_DOMAIN),
                       message("DriverError")(**{"class": class_number(self.kind), "user_message": self.for_user,
                                                 "operator_message": self.for_operator})):
            status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, self.for_user)


def class_number(kind):
    """The number of a class of errors in the contract's enumeration."""
    return pool.FindEnumTypeByName(PACKAGE + "Class").values_by_name["CLASS_" + kind].number


def trace(context):
    """What a call is part of, for log lines."""
    sent = dict(context.invocation_metadata())
    fields = {"request_id": sent.get("x-openstack-request-id"),
              "trace_id": (sent.get("traceparent", "").split("-") + [None])[1]}
    return {name: value for name, value in fields.items() if value}


class Gate:
    """Counts the calls in flight, and admits none once the driver drains."""

    def __init__(self):
        self.changed, self.running, self.draining = threading.Condition(), 0, False

    def drain(self, seconds):
        with self.changed:
            self.draining = True
            self.changed.wait_for(lambda: self.running == 0, timeout=seconds)
            return self.running

    def around(self, method):
        """A method of a service as gRPC calls it."""

        def call(request, context):
            with self.changed:
                refused = self.draining
                self.running += not refused
            if refused:  # without details: the core takes the call to another process
                context.abort(grpc.StatusCode.UNAVAILABLE, "the driver is draining")
            started = time.monotonic()
            try:
                return method(request)
            except Error as error:
                failure = error
            except Exception as error:  # a bug ends one call, not the process
                log.exception("a call failed", extra={"fields": trace(context)})
                failure = Error("BUG", "the driver failed", repr(error))
            finally:
                log.debug("call", extra={"fields": trace(context) | {"method": method.__name__, "seconds": time.monotonic() - started}})
                with self.changed:
                    self.running -= 1
                    self.changed.notify_all()
            failure.abort(context)

        return call


class Service:
    """A service of the contract whose calls are methods of an object, by their names."""

    def __init__(self, name, methods, around=lambda method: method):
        self.name = PACKAGE + name
        self.handler = grpc.method_handlers_generic_handler(self.name, {
            call.name: grpc.unary_unary_rpc_method_handler(
                around(getattr(methods, call.name)),
                request_deserializer=message(call.input_type.full_name).FromString,
                # The same answer has to be the same bytes.
                response_serializer=lambda answer: answer.SerializeToString(deterministic=True))
            for call in pool.FindServiceByName(self.name).methods})


class Driver:
    """The service that every driver has."""

    def __init__(self, description, gate):
        self.description, self.gate = description, gate

    def Handshake(self, request, context):
        return message("HandshakeResponse")(name=self.description["name"], version=self.description["version"],
                                            services=self.description["services"])

    def Describe(self, request, context):
        fields = dict(self.description)
        fields["label_schema"] = json.dumps(fields["label_schema"]).encode()
        return message("DescribeResponse")(description=fields)

    def Configure(self, request, context):
        Error("UNSUPPORTED", "driver %s takes no configuration" % self.description["name"]).abort(context)

    def Probe(self, request, context):
        return message("ProbeResponse")(ready=True)

    def Drain(self, request, context):
        timeout = request.timeout.seconds + request.timeout.nanos / 1e9
        return message("DrainResponse")(in_flight=self.gate.drain(timeout))


class Lines(logging.Formatter):
    """One JSON object a line, which Magnum logs as its own."""

    LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn", "ERROR": "error", "CRITICAL": "error"}

    def format(self, record):
        line = {"@level": self.LEVELS.get(record.levelname, "info"), "@message": record.getMessage(), "@module": record.name,
                "@timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat()}
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line)


def start_logging():
    words = {"trace": "DEBUG", "debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR", "off": "CRITICAL"}
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=words.get(os.environ.get("MAGNUM_DRIVER_LOG_LEVEL"), "INFO"), handlers=[handler])


# The author's own environment, for a service to attach what the author has started.
SOCKET, KEYS_FILE = "MAGNUM_DRIVER_SOCKET", "MAGNUM_DRIVER_KEYS_FILE"


def credentials(attached):
    """The keys of the one connection: from the pipe that the host has left open, or the author's file."""
    if attached and os.stat(os.environ[KEYS_FILE]).st_mode & 0o077:
        raise PermissionError("others may use the keys of the connection; chmod go= " + os.environ[KEYS_FILE])
    with open(os.environ[KEYS_FILE] if attached else int(os.environ["MAGNUM_DRIVER_KEYS_FD"]), "rb") as source:
        keys = {name: text.encode() for name, text in json.load(source).items()}
    return grpc.ssl_server_credentials([(keys["key"], keys["certificate"])], keys["peer"], require_client_auth=True)


def serve(description, templates):
    # Waited for, not handled: a handler runs between any two steps of the main
    # thread, where it may want a lock that this thread holds. Threads inherit it.
    attached = SOCKET in os.environ
    ends = {signal.SIGTERM, signal.SIGINT} if attached else {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    gate = Gate()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), options=[
        ("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)])
    server.add_generic_rpc_handlers((Service("Driver", Driver(description, gate)).handler,
                                     Service("Templates", templates, gate.around).handler))
    path = os.environ[SOCKET] if attached else os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "driver")
    server.add_secure_port("unix:" + path, credentials(attached))
    server.start()

    grace = [TERM_GRACE]

    def host_died():
        while os.read(0, 4096):
            pass
        grace[0] = ORPHAN_GRACE
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    if attached:
        log.info("serving, to be attached to, at %s", path)
    else:
        threading.Thread(target=host_died, daemon=True).start()
        print("1|1|unix|%s|grpc" % path, flush=True)
        sys.stdout = sys.stderr  # nobody expects more
    signal.sigwait(ends)
    server.stop(grace[0]).wait()
    return 0


def main(description, templates):
    if sys.argv[1:] == ["describe"]:
        print(json.dumps(description, indent=2))
        return 0
    if (SOCKET not in os.environ and os.environ.get(COOKIE[0]) != COOKIE[1]) or sys.argv[1:]:
        print("%s is a Magnum driver: magnum-conductor starts it. By hand it knows: describe" % description["name"], file=sys.stderr)
        return 1
    start_logging()
    return serve(description, templates)
