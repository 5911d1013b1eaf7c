"""Train a classifier; print all findings; write the report.

Run: python docs/examples/result.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

photos = sys.argv[1]

# ---
import eyespot

result = eyespot.teach(photos)  # an eyespot.TeachResult
print(result.reason)
for candidate in result.candidates:
    print(candidate.method, candidate.top1, candidate.top1_interval, candidate.seconds)
for finding in result.findings:
    print(finding.severity, finding.message, finding.advice)
for issue in result.label_issues:
    print(result.features.names[issue.index], "may have a wrong label")
result.save("pets.eyespot")
result.report("pets.report.html")  # or eyespot.write_report(result, Path("pets.report.html"))
