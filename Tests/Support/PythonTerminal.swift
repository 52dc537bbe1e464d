import Foundation

/// A program on a pseudo terminal, driven by what it shows: Python's `pty` gives both ends.
package enum PythonTerminal {
    package enum Step {
        /// Typed at once.
        case send(String)
        /// Waited for, in what came since the last one; without it the run fails after three quarters of a minute.
        case expect(String)
        /// Sent to the program.
        case signal(Int32)
    }

    package struct Result {
        package var status: Int32
        package var transcript: String
    }

    /// Runs a program to its end. Throws `Python.Failure` with the transcript where an expected text does not come.
    package static func run(_ command: [String], environment: [String: String], _ steps: [Step]) throws -> Result {
        let list = steps.map { step in
            switch step {
            case .send(let text): ["send", text]
            case .expect(let text): ["expect", text]
            case .signal(let number): ["signal", String(number)]
            }
        }
        let input = try JSONSerialization.data(withJSONObject: ["command": command, "environment": environment, "steps": list])
        let output = try Python.run(script, input: Array(input))
        guard let answer = try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any],
            let status = answer["status"] as? Int, let transcript = answer["transcript"] as? String
        else { throw Python.Failure(description: "no answer") }
        return Result(status: Int32(status), transcript: transcript)
    }

    private static let script = """
        import json, os, pty, select, sys, time
        task = json.load(sys.stdin)
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(task["environment"])
            os.execv(task["command"][0], task["command"])
        seen, at, end = b"", 0, time.monotonic() + 60
        def more():
            global seen
            left = end - time.monotonic()
            if left <= 0 or not select.select([terminal], [], [], left)[0]: sys.exit("no end: " + repr(seen))
            try: data = os.read(terminal, 65536)
            except OSError: data = b""
            seen += data
            return bool(data)
        for kind, text in task["steps"]:
            if kind == "send": os.write(terminal, text.encode())
            elif kind == "signal": os.kill(pid, int(text))
            else:
                while (place := seen.find(text.encode(), at)) < 0:
                    if not more(): sys.exit(f"{text!r} did not come: " + repr(seen))
                at = place + len(text.encode())
        while more(): pass
        _, status = os.waitpid(pid, 0)
        json.dump({"status": os.waitstatus_to_exitcode(status), "transcript": seen.decode(errors="replace")}, sys.stdout)
        """
}
